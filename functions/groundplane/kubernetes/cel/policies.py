"""CEL as admission policies speak it: with the request, parameters, variables, and a question about rights.

What the API server says of a mistake, it says in the words of its own engine; those are what people find when they
search, so the few that matter are put into its words here.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from cel_expr_python import cel
from cel_expr_python.ext import ext_bindings, ext_optional, ext_strings

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.cel.engine import RuleError, one_line
from groundplane.kubernetes.cel.functions import FORMAT, QUANTITY

__all__ = ["Program", "RuleError", "compiled"]
_ALWAYS = ("authorizer", "namespaceObject", "object", "oldObject", "request")
_RIGHTS = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
_STRING = cel.Type.STRING
#: How the API server's engine says what this one says; what stands in parentheses is repeated.
_WORDS = (
    (re.compile(r'Key not found in map : "(.*)"'), "no such key: {}"),
    (re.compile(r"No matching overloads found.*()"), "no such overload"),
    (re.compile(r"Index error: index=(-?\d+) size=\d+"), "index out of bounds: {}"),
    (re.compile(r"(divide) by zero"), "division by zero"),
    (re.compile(r"cannot convert string to (\w+)"), "type conversion error from 'string' to '{}'"),
)
_STATUS = re.compile(r"^[A-Z_]+: ")
NO_FIELDS = "Applying SELECT to non-message type"


def _right(name: str, parameters: list[cel.Type], result: cel.Type, body: str = "") -> cel.FunctionDecl:
    """Return a part of ``authorizer.group(..).resource(..).check(..).allowed()``: who asks is known from the start."""
    overload = cel.Overload(
        id=f"authorizer_{name}",
        return_type=result,
        parameters=[_RIGHTS, *parameters],
        is_member=True,
        impl=(lambda rights: bool(rights[body])) if body else (lambda rights, *_: rights),
    )
    return cel.FunctionDecl(name, [overload])


AUTHORIZER = cel.CelExtension(
    "kubernetes.authorizer",
    [
        *(
            _right(name, [_STRING], _RIGHTS)
            for name in ("group", "resource", "subresource", "namespace", "name", "path", "check")
        ),
        _right("serviceAccount", [_STRING, _STRING], _RIGHTS),
        _right("allowed", [], cel.Type.BOOL, "allowed"),
    ],
)
"""The authorizer, as ``authorizer.group("g").resource("r").namespace("n").check("verb").allowed()`` uses it."""

_ESCAPE = cel.Overload(
    id="jsonpatch_escape_key",
    return_type=_STRING,
    parameters=[_STRING],
    is_member=False,
    impl=lambda key: key.replace("~", "~0").replace("/", "~1"),
)
JSON_PATCH = cel.CelExtension("kubernetes.jsonpatch", [cel.FunctionDecl("jsonpatch.escapeKey", [_ESCAPE])])
"""What a patch needs: ``jsonpatch.escapeKey("a/b")``."""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression."""

    expression: cel.Expression

    @property
    def type(self) -> str:
        """The type of what it comes to, as the API server writes it: ``bool``, ``string``, ``dyn``, ``list(dyn)``."""
        return str(self.expression.return_type().name()).lower().replace("<", "(").replace(">", ")")

    def run(self, data: Manifest) -> JSON:
        """Return the plain result for *data*, which has an entry for each name that an expression may use.

        Raises:
            RuleError: the evaluation failed.
        """
        try:
            result = self.expression.eval(data=data)
            if result.type() != cel.Type.ERROR:
                return result.plain_value()
            failure = result.value()
        except (AssertionError, RuntimeError, TypeError, ValueError) as error:
            failure = error
        raise RuleError(_said(failure))


@functools.lru_cache(maxsize=1024)
def compiled(expression: str, names: tuple[str, ...] = ("params", "variables")) -> Program:
    """Return *expression* compiled; it may use *names* beside those that every expression of a policy knows.

    Raises:
        RuleError: it has a mistake, or uses what cannot be evaluated here; drawn over several lines.
    """
    try:
        return Program(_environment(names).compile(expression))
    except RuntimeError as error:
        raise RuleError(_drawn(error)) from None


@functools.cache
def _environment(names: tuple[str, ...]) -> cel.Env:
    known = {name: _RIGHTS if name == "authorizer" else cel.Type.DYN for name in (*_ALWAYS, *names)}
    extensions = [
        ext_bindings.ExtBindings(),
        ext_optional.ExtOptional(),
        ext_strings.ExtStrings(),
        QUANTITY,
        FORMAT,
        AUTHORIZER,
        JSON_PATCH,
    ]
    return cel.NewEnv(variables=known, extensions=extensions)


def _said(failure: object) -> str:
    told = _STATUS.sub("", one_line(failure))
    for pattern, words in _WORDS:
        if found := pattern.search(told):
            return words.format(found.group(1))
    return told


def _drawn(error: RuntimeError) -> str:
    text = _STATUS.sub("", str(error), count=1)
    return text.removesuffix(" [INVALID_ARGUMENT]")
