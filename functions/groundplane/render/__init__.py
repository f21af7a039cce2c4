"""What a cluster would do with a claim, without a cluster.

`reconcile` is one turn of Crossplane's reconciler through the real function. What the API server
does before it is in the module ``admission``, what an environment's policy does in ``selection``;
the command ``groundplane render`` is all of it, with files around.
"""

from groundplane.crossplane.errors import BadInputError, FunctionError, ReconcileError, RenderError, UnservedError
from groundplane.crossplane.function_client import Function, make_runner, serving
from groundplane.crossplane.outcome import Gone, Outcome, Result
from groundplane.render.reconciler import reconcile

__all__ = [
    "BadInputError",
    "Function",
    "FunctionError",
    "Gone",
    "Outcome",
    "ReconcileError",
    "RenderError",
    "Result",
    "UnservedError",
    "make_runner",
    "reconcile",
    "serving",
]
