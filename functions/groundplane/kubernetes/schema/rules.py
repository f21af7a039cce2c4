"""Reads the CEL rules of a kind without any object: do they compile, and do their paths exist?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from groundplane.kubernetes.cel.engine import RuleError, compiled
from groundplane.kubernetes.cel.expression import Call, Comprehension, Constant, Expression, Listing, Name, Select, read
from groundplane.kubernetes.schema.node import Node, Rule
from groundplane.kubernetes.schema.registry import KindSchema
from groundplane.kubernetes.schema.validations import program, reads_old
from groundplane.kubernetes.schema.values import NAMES, cel_kind, escaped
from groundplane.kubernetes.schema.violation import suggestion

_COMPARISONS = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
_TEXT_FUNCTIONS = frozenset({"startsWith", "endsWith", "contains", "matches"})
_SAME_SHAPE = frozenset({"value", "orValue", "optional.of", "optional.ofNonZeroValue"})
_INDEXED = frozenset({"_[_]", "_[?_]"})
# Kinds of which a comparison says nothing: unknown, and null.
_UNCLEAR = frozenset({"", "null"})
_METADATA: Node = Node({"type": "object", "properties": {name: {"type": "string"} for name in NAMES}})
# Functions that do the same to the text of a time as to the time.
_TIMELESS = frozenset({"_==_", "_!=_", "_?_:_", "timestamp", "duration", "optional.of", *_SAME_SHAPE})
_TIMES = {"date": "time", "date-time": "time", "duration": "duration"}

#: What a variable holds: a place in the schema, or None where that is not known.
Scope = Mapping[str, Node | None]


def check_rules(kind: KindSchema) -> list[str]:
    """Return what is wrong with the CEL rules of *kind*, one line per fault; empty when nothing.

    Every rule must compile and give true or false, every path such as ``self.a.b`` must be
    declared, and what a rule compares must be of one type. An API server refuses a CRD with such
    a fault, so the kind would never come to be.
    """
    return [
        f"{path or 'the object'}: rule `{rule.expression.strip()}`: {fault}"
        for node, path, has_past in _ruled(kind.root, "")
        for rule in node.rules
        for fault in (*_faults(rule, node), *_futile(rule, has_past=has_past))
    ]


def _ruled(node: Node, path: str, *, has_past: bool = True) -> Iterator[tuple[Node, str, bool]]:
    if not node.ruled:
        return
    if node.rules:
        yield node, path, has_past
    for child, where in node.parts(path):
        keeps = has_past and (child is not node.items or node.list_type == "map")
        yield from _ruled(child, where, has_past=keeps)


def _faults(rule: Rule, node: Node) -> Iterator[str]:
    try:
        tree = read(program(rule, cel_kind(node)).checked())
        if rule.message_expression:
            compiled(rule.message_expression, cel_kind(node), optional_old=rule.optional_old)
    except RuleError as error:
        yield str(error)
        return
    reader = _Reader([])
    shape = reader.shape(tree, {"self": node, "oldSelf": node, "old": node})
    yield from dict.fromkeys(reader.faults)
    if _kind(tree, shape) not in {"boolean", ""}:
        yield f"gives {_kind(tree, shape)}, not true or false"


def _futile(rule: Rule, *, has_past: bool) -> Iterator[str]:
    if not has_past and reads_old(rule.expression):
        yield "reads oldSelf inside a list whose items have no keys, so it has no past to read"


@dataclass(frozen=True, slots=True)
class _Reader:
    """Walks an expression and collects faults, keeping what each variable stands for."""

    faults: list[str]

    def shape(self, tree: Expression, scope: Scope) -> Node | None:
        """Return the place in the schema whose value *tree* gives, or None when unknown."""
        match tree:
            case Name():
                return scope.get(tree.name)
            case Select():
                return self._select(tree, scope)
            case Call():
                return self._call(tree, scope)
            case Listing():
                for element in tree.elements:
                    self.shape(element, scope)
            case Comprehension():
                return self._comprehension(tree, scope)
            case Constant():
                pass
        return None

    def _select(self, tree: Select, scope: Scope) -> Node | None:
        parent = self.shape(tree.operand, scope)
        if parent is None:
            return None
        if parent.values is not None:
            return parent.values
        if parent.int_or_string:
            return None
        fields = readable(parent)
        if tree.field not in fields:
            guess = suggestion(tree.field, fields)
            self.faults.append(f"{_spelled(tree)}: no such field{guess}")
        return None if tree.test else fields.get(tree.field)

    def _call(self, tree: Call, scope: Scope) -> Node | None:
        parts = (*([tree.target] if tree.target else []), *tree.arguments)
        shapes = [self.shape(part, scope) for part in parts]
        kinds = [_kind(part, shape) for part, shape in zip(parts, shapes, strict=True)]
        self._types(tree, parts, kinds, shapes)
        if tree.function in _INDEXED and shapes[0] is not None:
            return shapes[0].items or shapes[0].values
        if tree.function == "_?_:_":
            return shapes[1] or shapes[2]
        return shapes[0] if tree.function in _SAME_SHAPE else None

    def _types(
        self,
        tree: Call,
        parts: tuple[Expression, ...],
        kinds: list[str],
        shapes: list[Node | None],
    ) -> None:
        if tree.function not in _TIMELESS and any(shape is not None and shape.format in _TIMES for shape in shapes):
            self.faults.append(f"uses a time in {tree.function}, which only a cluster can evaluate")
        if tree.function in _COMPARISONS:
            self._alike(kinds)
        elif tree.function == "@in" and isinstance(parts[1], Listing):
            for element in parts[1].elements:
                self._alike([kinds[0], _kind(element, None)])
        elif tree.function in _TEXT_FUNCTIONS and kinds[0] not in {"string", ""}:
            self.faults.append(f"{tree.function}() needs a string, not {kinds[0]}")

    def _alike(self, kinds: list[str]) -> None:
        left, right = kinds
        if left != right and not {left, right} & _UNCLEAR:
            self.faults.append(f"compares {left} with {right}")

    def _comprehension(self, tree: Comprehension, scope: Scope) -> Node | None:
        over = self.shape(tree.over, scope)
        start = self.shape(tree.start, scope)
        inner = {**scope, tree.accumulator: start, tree.variable: over.items if over else None}
        self.shape(tree.condition, inner)
        self.shape(tree.step, inner)
        kept = over if _keeps_items(tree) else start
        return self.shape(tree.result, {**scope, tree.accumulator: kept})


def readable(node: Node) -> dict[str, Node]:
    """Return the fields of *node* that a rule can read, by the names rules know them under."""
    fields = {escaped(name): node.field(name) for name in node.names}
    known = {name: field for name, field in fields.items() if name and field and field.typed}
    if node.embedded:
        text = Node({"type": "string"})
        known |= {"apiVersion": text, "kind": text, "metadata": _METADATA}
    return known


def _keeps_items(tree: Comprehension) -> bool:
    """Whether the result is a list of the very items gone through, as ``filter`` makes it."""
    match tree.step:
        case Call(function="_?_:_", arguments=(_, Call(arguments=(_, Listing((Name(name),)))), _)):
            return name == tree.variable
        case _:
            return False


def _kind(tree: Expression, shape: Node | None) -> str:
    if isinstance(tree, Select) and tree.test:
        return "boolean"
    if shape is not None:
        return "bytes" if cel_kind(shape) == "byte" else _TIMES.get(shape.format, shape.type)
    return tree.kind if isinstance(tree, Call | Constant) else ""


def _spelled(tree: Expression) -> str:
    match tree:
        case Name():
            return tree.name
        case Select():
            return f"{_spelled(tree.operand)}.{tree.field}"
        case _:
            return "(...)"
