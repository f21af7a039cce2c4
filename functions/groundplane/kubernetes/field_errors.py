"""Violations of a schema, in Kubernetes' own words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.schema import KindSchema, Violation
from groundplane.kubernetes.status_errors import Cause, quoted

_NOWHERE = "<nil>"
#: After one of these an API server does not run the rules.
_STOPPING = frozenset(
    {"FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"}
)
_UNCHECKED = Cause(
    "FieldValueInvalid",
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing"
    " errors to complete validation",
    _NOWHERE,
)
# Of several limits on one text the real server tells only the first, in this order.
_TEXT_LIMITS = ("maxLength", "minLength", "pattern")
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (dict, "object"),
    (list, "array"),
)


def causes(schema: KindSchema, manifest: Manifest, old: Manifest | None = None, subresource: str = "") -> list[Cause]:
    """Return why an API server refuses *manifest* by *schema*, what metadata must be in general left aside.

    A status that is written on its own is also judged on its own, which shows in the messages.

    With *old*, what was wrong before and is unchanged does not count, and the rules about changes run.
    """
    violations = schema.validate(manifest, old)
    found = [
        cause for one in _first_limits(violations) for cause in _translated(one) if not _unchanged(one, manifest, old)
    ]
    if subresource == "status":
        found = [*map(_alone, found)]
    if schema.root.ruled and any(cause.reason in _STOPPING for cause in found):
        rules = [one for one in violations if one.keyword == "x-kubernetes-validations"]
        return [cause for cause in found if cause.field not in {rule.field for rule in rules}] + [_UNCHECKED]
    return list(dict.fromkeys(found))


def _alone(cause: Cause) -> Cause:
    path = cause.field.removeprefix("status.")
    return Cause(cause.reason, cause.message.replace(f"{cause.field} in body", f"{path} in body"), cause.field)


def _first_limits(violations: Sequence[Violation]) -> Iterator[Violation]:
    first: dict[str, str] = {}
    for one in violations:
        if one.keyword in _TEXT_LIMITS:
            known = first.get(one.field, one.keyword)
            first[one.field] = min(known, one.keyword, key=_TEXT_LIMITS.index)
    for one in violations:
        if one.keyword not in _TEXT_LIMITS or first[one.field] == one.keyword:
            yield one


def _unchanged(violation: Violation, manifest: Manifest, old: Manifest | None) -> bool:
    if old is None or violation.keyword == "x-kubernetes-validations":
        return False
    steps = _steps(violation.field)
    if violation.keyword == "required":
        steps = steps[:-1]
    # What is missing cannot be unchanged, and the object as a whole never is.
    return bool(steps) and _reached(manifest, steps) == _reached(old, steps)


def _steps(path: str) -> list[str]:
    return [step for step in path.replace("[", ".").replace("]", "").replace("'", "").split(".") if step]


def _reached(value: JSON, steps: Sequence[str]) -> JSON:
    for step in steps:
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


def _translated(violation: Violation) -> Iterator[Cause]:
    translate = _TRANSLATIONS.get(violation.keyword)
    if translate is not None:
        yield from translate(violation)
    elif violation.keyword in _BOUNDS:
        words = _BOUNDS[violation.keyword].format(limit=_plain(violation.limit))
        yield _body(violation, _json(_measured(violation)), words)


def _body(violation: Violation, value: str, words: str, reason: str = "FieldValueInvalid") -> Cause:
    return Cause(reason, f"Invalid value: {value}: {violation.field} in body {words}", violation.field)


def _measured(violation: Violation) -> JSON:
    # A list or a map is too short by its length; other values are shown.
    value = violation.value
    return len(value) if isinstance(value, dict | list) else value


_BOUNDS = {
    "minimum": "should be greater than or equal to {limit}",
    "maximum": "should be less than or equal to {limit}",
    "exclusiveMinimum": "should be greater than {limit}",
    "exclusiveMaximum": "should be less than {limit}",
    "multipleOf": "should be a multiple of {limit}",
    "minLength": "should be at least {limit} chars long",
    "pattern": "should match '{limit}'",
    "minItems": "should have at least {limit} items",
    "minProperties": "should have at least {limit} properties",
}


def _type(violation: Violation) -> Iterator[Cause]:
    kind = quoted(kind_of(violation.value))
    yield _body(violation, kind, f"must be of type {violation.limit}: {kind}", "FieldValueTypeInvalid")


def kind_of(value: JSON) -> str:
    """Return the JSON type of *value*."""
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "null")


def _format(violation: Violation) -> Iterator[Cause]:
    if isinstance(violation.value, str):
        value = quoted(violation.value)
        yield _body(violation, value, f"must be of type {violation.limit}: {value}", "FieldValueTypeInvalid")
    else:
        words = f"Checked value must be of type integer with format {violation.limit} in {violation.field}"
        yield Cause("FieldValueInvalid", f'Invalid value: "": {words}', _NOWHERE)


def _required(violation: Violation) -> Iterator[Cause]:
    yield Cause("FieldValueRequired", "Required value", violation.field)


def _enum(violation: Violation) -> Iterator[Cause]:
    options = ", ".join(quoted(one if isinstance(one, str) else _json(one)) for one in violation.limit)
    message = f"Unsupported value: {_json(violation.value)}: supported values: {options}"
    yield Cause("FieldValueNotSupported", message, violation.field)


def _too_long(violation: Violation) -> Iterator[Cause]:
    message = f"Too long: may not be more than {violation.limit} bytes"
    yield Cause("FieldValueTooLong", message, violation.field)


def _too_many(violation: Violation) -> Iterator[Cause]:
    message = f"Too many: {len(violation.value)}: must have at most {violation.limit} items"
    yield Cause("FieldValueTooMany", message, violation.field)


def _duplicate(violation: Violation) -> Iterator[Cause]:
    value = violation.value
    if violation.limit and isinstance(value, dict):
        value = {key: value[key] for key in violation.limit if key in value}
    yield Cause("FieldValueDuplicate", f"Duplicate value: {_json(value)}", violation.field)


def _one_of(violation: Violation) -> Iterator[Cause]:
    count = f"Found {violation.limit} valid alternatives" if violation.limit else "Found none valid"
    yield _choice(violation, f"must validate one and only one schema (oneOf). {count}")
    yield from _best(violation)


def _any_of(violation: Violation) -> Iterator[Cause]:
    yield _choice(violation, "must validate at least one schema (anyOf)")
    yield from _best(violation)


def _not(violation: Violation) -> Iterator[Cause]:
    yield _choice(violation, "must not validate the schema (not)")


def _choice(violation: Violation, words: str) -> Cause:
    return Cause("FieldValueInvalid", f'Invalid value: "": {quoted(violation.field)} {words}', _NOWHERE)


def _best(violation: Violation) -> Iterator[Cause]:
    if not violation.limit and violation.value:
        for one in min(violation.value, key=len):
            yield from _translated(one)


def _rule(violation: Violation) -> Iterator[Cause]:
    # A rule over an object or a list shows no value; that could be long.
    shown = "" if isinstance(violation.value, dict | list) else f"{_json(violation.value)}: "
    yield Cause("FieldValueInvalid", f"Invalid value: {shown}{violation.message}", violation.field or _NOWHERE)


_TRANSLATIONS: dict[str, Callable[[Violation], Iterator[Cause]]] = {
    "type": _type,
    "format": _format,
    "required": _required,
    "enum": _enum,
    "maxLength": _too_long,
    "maxItems": _too_many,
    "maxProperties": _too_many,
    "duplicate": _duplicate,
    "oneOf": _one_of,
    "anyOf": _any_of,
    "not": _not,
    "x-kubernetes-validations": _rule,
}


def _json(value: JSON) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _plain(value: JSON) -> str:
    return value if isinstance(value, str) else _json(value)
