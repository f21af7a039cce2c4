"""Settings of PostgreSQL as the server itself understands them: names in any case, values by type, unit and range.

What each setting is comes from running servers: `tools/settings.py` writes the file beside this one.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from groundplane.core.refusal import Reason, Refusal
from groundplane.engines.database._pg_values import number, truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from groundplane.contracts.database import DatabaseSpec

FILE: Final = Path(__file__).with_name("_pg_settings.json")
SHOWN: Final = 64  # characters of a value that a message repeats

# No engine lets them be changed: a write that was acknowledged could be lost, damage pass unseen, or no login be found.
UNSAFE: Final = frozenset(
    """
    allow_system_table_mods data_sync_retry db_user_namespace fsync full_page_writes ignore_checksum_failure
    ignore_invalid_pages zero_damaged_pages
    """.split()  # noqa: SIM905  # As the engines' own lists.
)

# As a file of PostgreSQL takes it: the name of a setting, or an extension's, a dot, and the name.
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?", re.ASCII)
_BYTES: Final = "B, kB, MB, GB, TB"
_TIMES: Final = "us, ms, s, min, h, d"
_UNITS: Final = {"ms": _TIMES, "s": _TIMES, "min": _TIMES}


@dataclass(frozen=True, slots=True)
class Setting:
    """What one major version says of one setting."""

    context: str  # who may set it, and when; `internal` is nobody, `postmaster` a start of the server
    kind: str  # bool, enum, integer, real or string
    unit: str  # of a number written without one; empty when it takes none
    least: str
    most: str
    words: tuple[str, ...]  # of an enumeration, as PostgreSQL shows them
    besides: tuple[str, ...]  # words of an enumeration that PostgreSQL takes, too

    def trouble(self, value: str) -> str | None:
        """Return why PostgreSQL would not take *value*, with what it takes, or None when it does."""
        if self.kind == "bool":
            return None if truth(value) is not None else "is neither on nor off"
        if self.kind == "enum":
            taken = {word.lower() for word in (*self.words, *self.besides)}
            shown = ", ".join(word or '""' for word in self.words)
            return None if value.lower() in taken else f"is none of its values: {shown}"
        if self.kind in {"integer", "real"}:
            told = number(value, self.unit, whole=self.kind == "integer")
            if told is None:
                return f"is no value of it, which is {self._range()}"
            return None if float(self.least) <= told <= float(self.most) else f"is outside its range, {self._range()}"
        return None

    def shown(self, value: str) -> str:
        """Return *value*, of a setting that has words, as PostgreSQL shows it: off for false, no and 0."""
        meaning, small = truth(value), value.lower()
        known = {word.lower() for word in self.words}
        return small if meaning is None or small in known else ("on" if meaning else "off")

    def _range(self) -> str:
        kind = {"integer": "a whole number", "real": "a number"}[self.kind]
        unit = (
            f" with one of the units {_UNITS.get(self.unit, _BYTES)}, or without one in {self.unit}"
            if self.unit
            else ""
        )
        return f"{kind} from {self.least} to {self.most}{unit}"


def known(major: str) -> Mapping[str, Setting]:
    """Return the settings of PostgreSQL *major* by name, in small letters; none when that major is not known."""
    return _data()[0].get(major, {})


def servers() -> Mapping[str, str]:
    """Return the releases that were asked, by major."""
    return _data()[2]


def folded(name: str, major: str) -> str:
    """Return *name* as PostgreSQL *major* reads it: in small letters, and the new name of a setting renamed."""
    small = name.lower() if name.isascii() else name
    return _data()[1].get(major, {}).get(small, small)


def parameters(spec: DatabaseSpec) -> dict[str, str]:
    """Return the parameters that *spec* asks for, by name in small letters, in order of the names."""
    written = spec.parameters or {}
    return dict(sorted((folded(name, spec.version), value) for name, value in written.items()))


@functools.cache
def static(major: str) -> frozenset[str]:
    """Return the settings that PostgreSQL *major* reads only when it starts."""
    return frozenset(name for name, setting in known(major).items() if setting.context == "postmaster")


def refuse_unfit(
    spec: DatabaseSpec, product: str, managed: Iterable[str], *, computed: re.Pattern[str] | None = None
) -> None:
    """Return if *product* can be told every parameter: known, not *managed* by it, written once, of a value it takes.

    A value that *computed* matches is no value of PostgreSQL: the product works it out, so it is not looked at.

    Raises:
        Refusal: NotOffered, with the field, what is wrong with it, and what is taken.
    """
    _refuse_twice(spec)
    _refuse_managed(spec, product, UNSAFE.union(managed))
    troubles = [
        f"{f'parameters.{name}' if _NAME.fullmatch(name) else 'parameters'}: {trouble}"
        for name, value in sorted((spec.parameters or {}).items())
        if (trouble := _trouble(name, value, spec.version, computed))
    ]
    if troubles:
        raise Refusal(Reason.NOT_OFFERED, " ".join(troubles))


def refuse_weak(spec: DatabaseSpec, weak: Mapping[str, Iterable[str]], why: str) -> None:
    """Return if no parameter has one of the *weak* values, which are written as PostgreSQL shows them.

    Raises:
        Refusal: NotOffered, with what the value would do, as *why* says it.
    """
    for name, value in parameters(spec).items():
        setting = known(spec.version).get(name)
        if setting and name in weak and setting.shown(value) in weak[name]:
            raise Refusal(Reason.NOT_OFFERED, f"parameters.{name}: {_shown(value)} {why} Remove it, or change it.")


def refuse_too_few(spec: DatabaseSpec, least: Mapping[str, int], why: str) -> None:
    """Return if every parameter in *least* is at least that, or not set.

    Raises:
        Refusal: NotOffered, with the least value and what it is needed for, as *why* says it.
    """
    for name, value in parameters(spec).items():
        told = _number(spec, name, value)
        if name in least and told is not None and told < least[name]:
            raise Refusal(
                Reason.NOT_OFFERED,
                f"parameters.{name}: {_shown(value)} is too few: {why} Set at least {least[name]}.",
            )


def refuse_no_room(spec: DatabaseSpec) -> None:
    """Return if connections are left for the application beside those that are reserved.

    Raises:
        Refusal: NotOffered; PostgreSQL does not start so.
    """
    asked = parameters(spec)
    reserved = {"reserved_connections": "0", "superuser_reserved_connections": "3"}
    taken = sum(int(_number(spec, name, asked.get(name, usual)) or 0) for name, usual in reserved.items())
    why = f"{taken} are reserved, so none would be left for the application."
    refuse_too_few(spec, {"max_connections": taken + 1}, why)


def _number(spec: DatabaseSpec, name: str, value: str) -> float | None:
    setting = known(spec.version).get(name)
    return number(value, setting.unit, whole=True) if setting and setting.kind == "integer" else None


def _refuse_twice(spec: DatabaseSpec) -> None:
    written: dict[str, list[str]] = {}
    for name in sorted(spec.parameters or {}):
        written.setdefault(folded(name, spec.version), []).append(name)
    for name, spellings in sorted(written.items()):
        if len(spellings) > 1:
            raise Refusal(
                Reason.NOT_OFFERED,
                f"parameters: {' and '.join(map(_shown, spellings))} are one setting, {name}: PostgreSQL reads names in"
                " any case. Keep one of them.",
            )


def _refuse_managed(spec: DatabaseSpec, product: str, managed: frozenset[str]) -> None:
    taken = sorted(name for name in spec.parameters or {} if folded(name, spec.version) in managed)
    if taken:
        raise Refusal(
            Reason.NOT_OFFERED,
            f"parameters: {', '.join(taken)} cannot be set on {product}, which manages it itself. Remove it.",
        )


def _trouble(name: str, value: str, major: str, computed: re.Pattern[str] | None) -> str | None:
    """Return what is wrong with one parameter and what to do, or None."""
    if not _NAME.fullmatch(name):
        return f"{_shown(name)} is not the name of a setting of PostgreSQL. Correct it, or remove it."
    settings, small = known(major), folded(name, major)
    if not settings or "." in small:
        return None
    setting = settings.get(small)
    if setting is None:
        near = get_close_matches(small, settings, n=1)
        meant = f"; did you mean {near[0]}?" if near else "."
        return f"PostgreSQL {major} has no such setting{meant} Correct the name, or remove it."
    if setting.context == "internal":
        return "nobody can set it: the server tells it. Remove it."
    if computed and computed.search(value):
        return None
    trouble = setting.trouble(value)
    return f"{_shown(value)} {trouble}. Correct it." if trouble else None


def _shown(text: str) -> str:
    """Return *text* as a message repeats it: on one line, and not without end."""
    short = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    return short if short.isprintable() and short.strip() == short and short else json.dumps(short)


@functools.cache
def _data() -> tuple[Mapping[str, Mapping[str, Setting]], Mapping[str, Mapping[str, str]], Mapping[str, str]]:
    """Return settings, renamed settings and releases, each by major. Read when a claim first has parameters."""
    found = json.loads(FILE.read_text(encoding="utf-8"))
    settings: dict[str, dict[str, Setting]] = {major: {} for major in found["servers"]}
    for name, variants in found["settings"].items():
        for majors, context, kind, unit, least, most, words, besides in variants:
            setting = Setting(context, kind, unit, least, most, tuple(words), tuple(besides))
            for major in majors.split():
                settings[major][name] = setting
    return settings, found["renamed"], found["servers"]
