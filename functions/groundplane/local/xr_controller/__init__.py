"""Composites on the embedded plane: what Crossplane does with a claim, over the plane's own API."""
