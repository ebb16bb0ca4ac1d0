"""The life of a large model: data, training, evaluation, deployment, serving, monitoring."""

import os

# ONNX Runtime reports to its makers unless told not to, and reads this when it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
