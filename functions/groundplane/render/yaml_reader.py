"""YAML as Kubernetes tools read it, with the line and the column of whatever is wrong.

PyYAML on its own differs from kubectl in both directions: it turns unquoted times into dates and
``1:30`` into 90, and it leaves ``y`` a string. A claim must mean here what it means on a cluster.
"""

from __future__ import annotations

import re

import yaml

from groundplane.core.manifest import JSON, Manifest
from groundplane.crossplane.errors import BadInputError

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]  # the same interface, only slower

LARGEST = 1024 * 1024  # bytes: what etcd takes as one object, in its usual configuration
LARGEST_INTEGER = 2**63
DEEPEST = 100  # levels; deeper data cannot be sent to a function
MOST_VALUES = 500_000  # aliases can make a short file mean an endless one

_TAG = "tag:yaml.org,2002:"
_LIST = re.compile(rb"^kind:\s*['\"]?\w*List\b", re.MULTILINE)
_DIVIDER = re.compile(rb"^---(?=\s|$)", re.MULTILINE)


class _Loader(SafeLoader):
    """Reads scalars as the YAML library inside kubectl does."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # PyYAML keeps this table on the class


_SCALARS = (
    (
        "bool",
        r"y|Y|n|N|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF",
        "yYnNtTfFoO",
    ),
    ("int", r"[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|0o?[0-7_]+|0b[01_]+)", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
)
for _name, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})\Z"), list(_first))


class _Walk:
    """Turns one document's nodes into plain data and refuses what JSON cannot say."""

    def __init__(self, loader: _Loader, where: str) -> None:
        self.loader = loader
        self.where = where
        self.values = 0
        self.open: set[int] = set()
        self.flat: set[int] = set()  # mappings whose merge keys are worked in, which changes them

    def wrong(self, node: yaml.Node, what: str) -> BadInputError:
        mark = node.start_mark
        return BadInputError(f"{self.where}: line {mark.line + 1}, column {mark.column + 1}: {what}")

    def value(self, node: yaml.Node | None) -> JSON:
        if node is None:
            return None
        self.values += 1
        if self.values > MOST_VALUES:
            raise self.wrong(node, "anchors and aliases expand to far too much; write it out")
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if id(node) in self.open:
            raise self.wrong(node, "an alias contains itself; write the value out")
        if len(self.open) >= DEEPEST:
            raise self.wrong(node, "nested too deeply; no Kubernetes object is")
        self.open.add(id(node))
        found = self.mapping(node) if isinstance(node, yaml.MappingNode) else self.items(node)
        self.open.discard(id(node))
        return found

    def items(self, node: yaml.Node) -> list[JSON]:
        return [self.value(item) for item in node.value]

    def mapping(self, node: yaml.MappingNode) -> Manifest:
        if id(node) not in self.flat:
            self.check_keys(node)
            self.loader.flatten_mapping(node)
            self.flat.add(id(node))
        return {key.value: self.value(value) for key, value in node.value}

    def check_keys(self, node: yaml.MappingNode) -> None:
        seen = set()
        for key, _ in node.value:
            if key.tag not in {_TAG + "str", _TAG + "merge"}:
                raise self.wrong(key, f"the key {_shown(key)} is not a string; put it in quotes")
            if key.value in seen:
                raise self.wrong(key, f"the key {key.value!r} is given twice; keep one")
            seen.add(key.value)

    def scalar(self, node: yaml.ScalarNode) -> JSON:
        kind = node.tag.removeprefix(_TAG)
        if kind not in {"str", "bool", "int", "float", "null"}:
            raise self.wrong(node, f"the tag {node.tag} is not for Kubernetes; remove it")
        if kind == "bool":
            return node.value.lower() in {"y", "yes", "true", "on"}
        try:
            found = self.loader.construct_object(node)
        except ValueError:
            raise self.wrong(node, f"this is no {kind}; put it in quotes") from None
        if isinstance(found, float) and found - found != 0:
            raise self.wrong(node, "not a number that JSON can say; put it in quotes")
        # JSON has one kind of number: 1e3 is the integer 1000 to everything behind kubectl.
        whole = isinstance(found, float) and found.is_integer() and abs(found) < LARGEST_INTEGER
        return int(found) if whole else found


def _shown(node: yaml.Node) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else "here"


def parse(data: bytes, name: str) -> list[tuple[str, JSON]]:
    """Return the values in *data*, each with the words that name it: *name*, or name and number.

    Empty documents are left out, as kubectl does, and count in the numbering all the same.

    Raises:
        BadInputError: When it is too large, no YAML, or holds nothing.
    """
    _check_size(data, name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInputError(f"{name}: not UTF-8 text; save the file as UTF-8") from None
    found = [(number, value) for number, value in _documents(text, name) if value is not None]
    if not found:
        raise BadInputError(f"{name}: empty; expected an object with apiVersion, kind and metadata")
    several = found[-1][0] > 1
    return [(f"{name}, document {number}" if several else name, value) for number, value in found]


def _documents(text: str, name: str) -> list[tuple[int, JSON]]:
    found: list[tuple[int, JSON]] = []
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        while loader.check_node():
            where = f"{name}, document {len(found) + 1}" if found else name
            found.append((len(found) + 1, _Walk(loader, where).value(loader.get_node())))
    except yaml.YAMLError as error:
        raise BadInputError(f"{name}: not YAML: {_place(error)}") from None
    finally:
        if loader is not None:
            loader.dispose()
    return found


def _place(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    if isinstance(error, yaml.reader.ReaderError):
        return f"a character at position {error.position} is not allowed in YAML"
    return "it cannot be read"


def _check_size(data: bytes, name: str) -> None:
    """Refuse a document no API server would store, before any time is spent on it."""
    if len(data) <= LARGEST:
        return
    for number, part in enumerate(_DIVIDER.split(data), start=1):
        if len(part) > LARGEST and not _LIST.search(part):
            raise BadInputError(
                f"{name}: part {number} has {len(part)} bytes, larger than Kubernetes stores ({LARGEST}); make it"
                " smaller"
            )
