"""Engines for XDatabase."""
