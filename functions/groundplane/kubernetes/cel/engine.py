"""The CEL engine: compiles an expression once, evaluates it, and turns failure into data."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from cel_expr_python import cel
from cel_expr_python.ext import ext_bindings, ext_optional, ext_strings

from groundplane.core.manifest import JSON
from groundplane.kubernetes.cel.functions import FORMAT, QUANTITY

_MAP = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
_LIST = cel.Type.List(cel.Type.DYN)
_TYPES = {
    "array": _LIST,
    "boolean": cel.Type.BOOL,
    "byte": cel.Type.BYTES,
    "integer": cel.Type.INT,
    "number": cel.Type.DOUBLE,
    "object": _MAP,
    "string": cel.Type.STRING,
}
# An optional cannot be handed over from Python, so the expression makes it from two plain values.
_OPTIONAL = "cel.bind(oldSelf, had_old ? optional.of(old) : optional.none(), (\n{}\n))"


class RuleError(Exception):
    """An expression that cannot be compiled or evaluated; its text says why in one line."""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression over ``self`` and ``oldSelf``."""

    expression: cel.Expression
    optional_old: bool

    def run(self, value: JSON, old: JSON = None) -> JSON:
        """Return the plain result for *value* as ``self`` and *old* as ``oldSelf``.

        Raises:
            RuleError: the evaluation failed.
        """
        data = {"self": value, "oldSelf": old}
        if self.optional_old:
            data = {"self": value, "old": old, "had_old": old is not None}
        try:
            result = self.expression.eval(data=data)
        except (RuntimeError, TypeError, ValueError) as error:
            raise RuleError(one_line(error)) from None
        if result.type() == cel.Type.ERROR:
            raise RuleError(one_line(result.value()))
        return result.plain_value()

    def checked(self) -> bytes:
        """Return the type-checked expression in its binary form."""
        return bytes(self.expression.serialize())


@functools.cache
def compiled(expression: str, kind: str = "", *, optional_old: bool = False) -> Program:
    """Return *expression* compiled and type-checked for a ``self`` of *kind*.

    *kind* is a schema type (``byte`` for base64 strings); empty means any value.

    Raises:
        RuleError: the expression has a mistake, or uses what cannot be evaluated here.
    """
    text = _OPTIONAL.format(expression) if optional_old else expression
    try:
        return Program(_environment(kind, optional_old=optional_old).compile(text), optional_old)
    except RuntimeError as error:
        raise RuleError(one_line(error)) from None


@functools.cache
def _environment(kind: str, *, optional_old: bool = False) -> cel.Env:
    own = _TYPES.get(kind, cel.Type.DYN)
    variables = {"self": own, "oldSelf": own}
    if optional_old:
        variables = {"self": own, "old": cel.Type.DYN, "had_old": cel.Type.BOOL}
    return cel.NewEnv(
        variables=variables,
        extensions=[
            ext_bindings.ExtBindings(),
            ext_optional.ExtOptional(),
            ext_strings.ExtStrings(),
            QUANTITY,
            FORMAT,
        ],
    )


@functools.cache
def _pattern() -> cel.Expression:
    text = cel.Type.STRING
    return cel.NewEnv(variables={"text": text, "pattern": text}).compile("text.matches(pattern)")


def matches(text: str, pattern: str) -> bool | None:
    """Return whether *pattern*, in the dialect Kubernetes uses (RE2), is found in *text*.

    None when the pattern itself cannot be read.
    """
    result = _pattern().eval(data={"text": text, "pattern": pattern})
    return None if result.type() == cel.Type.ERROR else bool(result.value())


def one_line(error: object) -> str:
    """Return what the engine says of *error*, in one line."""
    # The engine says "CODE: ERROR: <input>:1:5: reason" and draws the place below it.
    text = str(error).split("\n |", 1)[0]
    for lead in ("INVALID_ARGUMENT: ", "NOT_FOUND: ", "ERROR: ", "<input>:"):
        text = text.removeprefix(lead)
    return " ".join(text.replace(" (in container '')", "").split())
