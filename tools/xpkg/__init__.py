"""Packages for Crossplane: staged from the repository's files, built and pushed by the official command line."""
