"""Kinds of our own that a provider serves: Process and Task, which run programs on one machine."""
