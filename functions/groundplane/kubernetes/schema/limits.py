"""The keywords that limit a value: one small judge each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sized

from groundplane.core.manifest import JSON
from groundplane.kubernetes.cel.engine import matches
from groundplane.kubernetes.formats import EXAMPLES, FORMATS, RANGES

#: Takes the limit, the value and how to show it; returns what is wrong, or None.
Judge = Callable[[JSON, JSON, str], str | None]


def _enum(options: JSON, value: JSON, text: str) -> str | None:
    if any(_same(option, value) for option in options):
        return None
    known = ", ".join(str(option) for option in options)
    return f"{text} is not one of {known}"


def _same(left: JSON, right: JSON) -> bool:
    # Python holds True == 1 to be so; JSON does not.
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def _pattern(pattern: JSON, value: JSON, text: str) -> str | None:
    if not isinstance(value, str):
        return None
    verdict = matches(value, pattern)
    if verdict is None:
        return f"the schema's pattern {pattern} cannot be read, so nothing can match it"
    return None if verdict else f"{text} does not match {pattern}"


def _format(name: JSON, value: JSON, text: str) -> str | None:
    if isinstance(value, str):
        accepts = FORMATS.get(name)
        if accepts is None or accepts(value):
            return None
        example = f", such as {json.dumps(EXAMPLES[name])}" if name in EXAMPLES else ""
        what = "base64" if name == "byte" else f"a {name}"
        return f"{text} is not {what}{example}"
    if _is_number(value) and name in RANGES:
        low, high = RANGES[name]
        return None if low <= value <= high else f"must be between {low} and {high} ({name})"
    return None


def _is_number(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _minimum(limit: JSON, value: JSON, text: str) -> str | None:
    if not _is_number(value) or value >= limit:
        return None
    return f"must be at least {limit}, not {text}"


def _maximum(limit: JSON, value: JSON, text: str) -> str | None:
    if not _is_number(value) or value <= limit:
        return None
    return f"must be at most {limit}, not {text}"


def _multiple(limit: JSON, value: JSON, text: str) -> str | None:
    if not _is_number(value) or value % limit == 0:
        return None
    return f"must be a multiple of {limit}, not {text}"


def _least(kind: type[Sized], what: str) -> Judge:
    def judge(limit: JSON, value: JSON, _text: str) -> str | None:
        if not isinstance(value, kind) or len(value) >= limit:
            return None
        return f"needs at least {_count(limit, what)}, not {len(value)}"

    return judge


def _most(kind: type[Sized], what: str) -> Judge:
    def judge(limit: JSON, value: JSON, _text: str) -> str | None:
        if not isinstance(value, kind) or len(value) <= limit:
            return None
        return f"can have at most {_count(limit, what)}, not {len(value)}"

    return judge


def _count(number: int, what: str) -> str:
    if number == 1:
        return f"1 {what}"
    return f"{number} {what.removesuffix('y')}ies" if what.endswith("y") else f"{number} {what}s"


#: Every keyword that limits the value itself.
LIMITS: Mapping[str, Judge] = {
    "enum": _enum,
    "format": _format,
    "maximum": _maximum,
    "maxItems": _most(list, "item"),
    "maxLength": _most(str, "character"),
    "maxProperties": _most(dict, "entry"),
    "minimum": _minimum,
    "minItems": _least(list, "item"),
    "minLength": _least(str, "character"),
    "minProperties": _least(dict, "entry"),
    "multipleOf": _multiple,
    "pattern": _pattern,
}

#: Limits after which an API server does not run the rules any more.
BLOCKING = frozenset({"enum", "maxItems", "maxLength", "maxProperties"})


def exclusive(bounds: Mapping[str, JSON], value: JSON) -> tuple[str, str] | None:
    """Return what is wrong, and the keyword, when *value* equals a bound that *bounds* excludes."""
    if bounds.get("exclusiveMinimum") is True and value == bounds.get("minimum"):
        return f"must be more than {value}", "exclusiveMinimum"
    if bounds.get("exclusiveMaximum") is True and value == bounds.get("maximum"):
        return f"must be less than {value}", "exclusiveMaximum"
    return None
