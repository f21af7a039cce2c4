"""Groundplane on one machine, without a cluster."""
