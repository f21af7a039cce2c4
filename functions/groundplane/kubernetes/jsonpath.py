"""The part of JSONPath that columns of tables use: fields, ``[n]``, ``[*]`` and ``[?(@.a=='b')]``."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator

from groundplane.core.manifest import JSON

_STEP = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\\])+)"""
    r"""|\['(?P<quoted>[^']*)'\]"""
    r"""|\[(?P<index>-?\d+)\]"""
    r"""|(?P<all>\[\*\]|\.\*)"""
    r"""|\[\?\(@(?P<path>[^=!<>]*?)\s*(?P<operator>==|!=)\s*(?P<value>"[^"]*"|'[^']*'|[^)]+)\)\]"""
)

#: From one value to the values one step further.
Step = Callable[[JSON], Iterator[JSON]]


class PathError(ValueError):
    """A path that cannot be read."""


def values(path: str, value: JSON) -> list[JSON]:
    """Return what stands at *path*, which begins with a dot, inside *value*; empty when nothing does.

    Raises:
        PathError: The path cannot be read.
    """
    found = [value]
    for step in _steps(path):
        found = [inner for one in found for inner in step(one)]
    return found


@functools.lru_cache(maxsize=512)
def _steps(path: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise PathError(f"{path} cannot be read at {path[position:]!r}")
        steps.append(_step(match))
        position = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    name = match["field"] if match["field"] is not None else match["quoted"]
    if match["all"]:
        return _every
    if name is not None:
        return _member(re.sub(r"\\(.)", r"\1", name))
    if match["index"] is not None:
        return _item(int(match["index"]))
    return _matching(match["path"], match["operator"], match["value"])


def _member(name: str) -> Step:
    def step(value: JSON) -> Iterator[JSON]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _item(index: int) -> Step:
    def step(value: JSON) -> Iterator[JSON]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _every(value: JSON) -> Iterator[JSON]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _matching(path: str, operator: str, literal: str) -> Step:
    wanted = _literal(literal.strip())

    def step(value: JSON) -> Iterator[JSON]:
        for entry in value if isinstance(value, list) else ():
            found = values(path, entry)
            if bool(found and found[0] == wanted) == (operator == "=="):
                yield entry

    return step


def _literal(text: str) -> JSON:
    if text[:1] in "'\"":
        return text[1:-1]
    try:
        return json.loads(text)
    except ValueError:
        return text
