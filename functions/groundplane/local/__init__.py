"""The local data plane: what serves claims on one machine, without a cluster."""
