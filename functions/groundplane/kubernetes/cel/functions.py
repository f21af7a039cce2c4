"""The functions that Kubernetes adds to CEL: ``quantity`` and ``format``.

The engine knows no opaque values from Python, so a quantity travels as a map with one exact
fraction in it and a format as a map with its name; neither map has another use in a rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from cel_expr_python import cel

from groundplane.core.manifest import JSON
from groundplane.kubernetes import formats

_BOOL, _INT, _STRING = cel.Type.BOOL, cel.Type.INT, cel.Type.STRING
_OPAQUE = cel.Type.Map(_STRING, cel.Type.DYN)
_TEXTS = cel.Type.List(_STRING)

_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))([numkMGTPE]?|[KMGTPE]i|[eE][+-]?\d{1,3})", re.ASCII)
_SUFFIX = {
    "": Fraction(1),
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    **{unit: Fraction(1000**power) for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Fraction(1024**power) for power, unit in enumerate("KMGTPE", 1)},
}


def parse_quantity(text: str) -> Fraction:
    """Return the exact value of the Kubernetes quantity *text*.

    Raises:
        ValueError: *text* is no quantity.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("not a quantity")
    number, suffix = match.groups()
    scale = _SUFFIX.get(suffix)
    return Fraction(number) * (Fraction(10) ** int(suffix[1:]) if scale is None else scale)


def _is_quantity(text: str) -> bool:
    return _FORM.fullmatch(text) is not None


def _wrap(value: Fraction) -> JSON:
    return {"quantity": str(value)}


def _unwrap(value: JSON) -> Fraction:
    return Fraction(value["quantity"])


def _compare(left: JSON, right: JSON) -> int:
    a, b = _unwrap(left), _unwrap(right)
    return (a > b) - (a < b)


def _function(name: str, result: cel.Type, parameters: list[cel.Type], body: Callable[..., JSON]) -> cel.FunctionDecl:
    member = bool(parameters) and parameters[0] is not _STRING
    overload = cel.Overload(
        id=f"kubernetes_{name}_{len(parameters)}_{parameters[-1:] == [_INT]}",
        return_type=result,
        parameters=parameters,
        is_member=member,
        impl=body,
    )
    return cel.FunctionDecl(name, [overload])


QUANTITY = cel.CelExtension(
    "kubernetes.quantity",
    [
        _function("quantity", _OPAQUE, [_STRING], lambda text: _wrap(parse_quantity(text))),
        _function("isQuantity", _BOOL, [_STRING], _is_quantity),
        _function("compareTo", _INT, [_OPAQUE, _OPAQUE], _compare),
        _function("isGreaterThan", _BOOL, [_OPAQUE, _OPAQUE], lambda a, b: _compare(a, b) > 0),
        _function("isLessThan", _BOOL, [_OPAQUE, _OPAQUE], lambda a, b: _compare(a, b) < 0),
        _function("sign", _INT, [_OPAQUE], lambda a: _compare(a, _wrap(Fraction(0)))),
        _function("isInteger", _BOOL, [_OPAQUE], lambda a: _unwrap(a).denominator == 1),
        _function("asInteger", _INT, [_OPAQUE], lambda a: int(_unwrap(a))),
        _function("asApproximateFloat", cel.Type.DOUBLE, [_OPAQUE], lambda a: float(_unwrap(a))),
        _function("add", _OPAQUE, [_OPAQUE, _OPAQUE], lambda a, b: _wrap(_unwrap(a) + _unwrap(b))),
        _function("sub", _OPAQUE, [_OPAQUE, _OPAQUE], lambda a, b: _wrap(_unwrap(a) - _unwrap(b))),
    ],
)
"""Quantities, as ``quantity("20Gi").compareTo(quantity(self.size))`` uses them."""

_FORMATS: dict[str, Callable[[str], bool]] = {
    "dns1123Label": formats.is_label_name,
    "dns1123Subdomain": formats.is_subdomain,
    "dns1035Label": formats.is_service_name,
    "qualifiedName": formats.is_qualified_name,
    "labelValue": formats.is_label_value,
    "dns1123LabelPrefix": lambda text: formats.is_label_name(text.removesuffix("-")),
    "dns1123SubdomainPrefix": lambda text: formats.is_subdomain(text.removesuffix("-")),
    "dns1035LabelPrefix": lambda text: formats.is_service_name(text.removesuffix("-")),
    "uri": formats.FORMATS["uri"],
    "uuid": formats.FORMATS["uuid"],
    "byte": formats.is_base64,
    "date": formats.FORMATS["date"],
    "datetime": formats.is_date_time,
}


def _complaints(form: JSON, text: str) -> list[str]:
    name = form["format"]
    return [] if _FORMATS[name](text) else [f"not a valid {name}"]


def _named(name: str) -> Callable[[], JSON]:
    return lambda: {"format": name}


# validate() gives an optional in Kubernetes: none when the text is valid. The engine takes no
# optionals from Python, so the list of complaints itself answers hasValue() and value().
FORMAT = cel.CelExtension(
    "kubernetes.format",
    [
        *(_function(f"format.{name}", _OPAQUE, [], _named(name)) for name in _FORMATS),
        _function("validate", _TEXTS, [_OPAQUE, _STRING], _complaints),
        _function("hasValue", _BOOL, [_TEXTS], bool),
        _function("value", _TEXTS, [_TEXTS], lambda texts: texts),
    ],
)
"""Named formats, as ``!format.dns1123Label().validate(self).hasValue()`` uses them."""
