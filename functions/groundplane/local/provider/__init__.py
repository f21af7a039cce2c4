"""The local provider: a Kubernetes controller that runs Processes and Tasks, and knows nothing of databases."""
