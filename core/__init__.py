"""The life of a large model: data, training, evaluation, deployment, serving, monitoring."""

import logging
import os
import warnings

# ONNX Runtime reports to its makers unless told not to, and reads this when it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# Progress bars in a notebook fall back to text where no widgets are installed: that is enough.
warnings.filterwarnings("ignore", "IProgress not found")
# torchao speaks up about its own use of torch whenever something imports it.
logging.getLogger("torch.utils._pytree").setLevel(logging.ERROR)
