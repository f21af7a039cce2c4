"""Groundplane: shared stateful platform services behind stable, versioned claims.

Read in this order: ``core`` (the vocabulary), ``contracts`` (what may be asked), ``engines`` (who can answer),
``lifecycle`` (what
must never happen), ``compose`` (the answer), ``fn`` (the wire).
"""

__version__ = "0.1.0"
