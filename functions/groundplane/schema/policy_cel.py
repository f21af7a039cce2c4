"""CEL as admission policies speak it: with the request, parameters, variables, and a question about rights."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from cel_expr_python import cel
from cel_expr_python.ext import ext_bindings, ext_optional, ext_strings

from groundplane.core.manifest import JSON, Manifest
from groundplane.schema.cel import RuleError, one_line
from groundplane.schema.cel_functions import FORMAT, QUANTITY

__all__ = ["Program", "RuleError", "compiled"]
_NAMES = ("authorizer", "namespaceObject", "object", "oldObject", "params", "request", "variables")
_RIGHTS = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)


def _right(name: str, parameters: list[cel.Type], result: cel.Type, *, asks: bool = False) -> cel.FunctionDecl:
    """Return a part of ``authorizer.group(..).resource(..).check(..).allowed()``: who asks is known from the start."""
    overload = cel.Overload(
        id=f"authorizer_{name}",
        return_type=result,
        parameters=[_RIGHTS, *parameters],
        is_member=True,
        impl=(lambda rights: bool(rights["allowed"])) if asks else (lambda rights, *_: rights),
    )
    return cel.FunctionDecl(name, [overload])


AUTHORIZER = cel.CelExtension(
    "kubernetes.authorizer",
    [
        *(
            _right(name, [cel.Type.STRING], _RIGHTS)
            for name in ("group", "resource", "subresource", "namespace", "check")
        ),
        _right("allowed", [], cel.Type.BOOL, asks=True),
    ],
)
"""The authorizer, as ``authorizer.group("g").resource("r").namespace("n").check("verb").allowed()`` uses it."""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression."""

    expression: cel.Expression

    def run(self, data: Manifest) -> JSON:
        """Return the plain result for *data*, which has an entry for each name that an expression may use.

        Raises:
            RuleError: the evaluation failed.
        """
        try:
            result = self.expression.eval(data=data)
        except (RuntimeError, TypeError, ValueError) as error:
            raise RuleError(one_line(error)) from None
        if result.type() == cel.Type.ERROR:
            raise RuleError(one_line(result.value()))
        return result.plain_value()


@functools.lru_cache(maxsize=1024)
def compiled(expression: str) -> Program:
    """Return *expression* compiled.

    Raises:
        RuleError: it has a mistake, or uses what cannot be evaluated here.
    """
    try:
        return Program(_environment().compile(expression))
    except RuntimeError as error:
        raise RuleError(one_line(error)) from None


@functools.cache
def _environment() -> cel.Env:
    return cel.NewEnv(
        variables={name: _RIGHTS if name == "authorizer" else cel.Type.DYN for name in _NAMES},
        extensions=[
            ext_bindings.ExtBindings(),
            ext_optional.ExtOptional(),
            ext_strings.ExtStrings(),
            QUANTITY,
            FORMAT,
            AUTHORIZER,
        ],
    )
