"""The life of a large model: data, training, evaluation, deployment, serving, monitoring."""
