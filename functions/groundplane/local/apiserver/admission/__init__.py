"""Admission on the embedded plane: the policies that protect claims on a cluster hold here, too, word for word."""
