"""The embedded plane: one process that serves the part of the Kubernetes API that claims need."""
