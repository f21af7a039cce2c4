"""The part of the Kubernetes API that claims need, in one process.

Start at ``registry.api``, which is the API without HTTP; ``server`` puts it on the network.
"""
