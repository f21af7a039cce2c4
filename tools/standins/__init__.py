"""Small stand-ins for the operators and providers of the engines: they write what the real ones write, and run nothing.

`served` has what an operator writes once all is well, `stages` what it writes on the way there, `__main__` writes it
into a cluster. What the real ones write is in the sources that each function names.
"""
