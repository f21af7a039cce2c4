"""Small stand-ins for the operators and providers of the engines: they write what the real ones write, and run nothing.

`served` has what an operator writes once all is well, `stages` what it writes on the way there, `aws` is the provider
for AWS and `account` what it works on, and `__main__` lets all of them work in a cluster. What the real ones write is
in the sources that each names.
"""
