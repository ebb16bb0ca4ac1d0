"""From a sentence to commands: grammar first, then the learned model, then an endpoint."""
