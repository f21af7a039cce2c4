"""YAML that every Kubernetes tool reads back as the same objects.

YAML 1.1 knows twenty-two words for true and false, and readers differ in which they know; so a
string that any of them could take for something else is put in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import yaml

from groundplane.core.manifest import Manifest

_ANYTHING_ELSE = re.compile(
    r"""
      (y|yes|n|no|on|off|true|false|null|~|)          # booleans and null, in any case
    | [-+]?\.?[0-9][0-9_.,:]*(e[-+]?[0-9]+)?          # numbers, with exponents, and times
    | [-+]?0[xob][0-9a-f_]+                           # hexadecimal, octal, binary
    | [-+]?\.(inf|nan)
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*                # dates
    | = | <<
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Characters that readers take for the end of a line, or lose: only an escape keeps them.
_FRAGILE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_TRAILING_BLANK = re.compile(r"[ \t](\n|\Z)|\n\n\Z")


class _Dumper(yaml.SafeDumper):
    """Writes plain data as Kubernetes tools do: sorted keys, no aliases, no folded lines."""

    def ignore_aliases(self, data: object) -> bool:
        """Write every value out: an alias is a puzzle to a reader."""
        del data
        return True


def _string(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    tag = "tag:yaml.org,2002:str"
    block = "\n" in value and not value[0].isspace() and not _TRAILING_BLANK.search(value)
    if block and not _FRAGILE.search(value):
        return dumper.represent_scalar(tag, value, style="|")
    if "\n" in value or _FRAGILE.search(value) or _ANYTHING_ELSE.fullmatch(value):
        return dumper.represent_scalar(tag, value, style='"')
    return dumper.represent_scalar(tag, value)


_Dumper.add_representer(str, _string)


def document(manifest: Manifest) -> str:
    """Return *manifest* as one YAML document, with its leading ``---`` line."""
    text = yaml.dump(
        manifest,
        Dumper=_Dumper,
        sort_keys=True,
        allow_unicode=True,
        default_flow_style=False,
        width=10**9,
    )
    return f"---\n{text}"


def stream(manifests: Iterable[Manifest]) -> str:
    """Return *manifests* as one stream of YAML documents, in the given order."""
    return "".join(document(one) for one in manifests)
