"""Runs the CEL rules of a schema over an object."""

from __future__ import annotations

import re
from collections.abc import Iterator

from groundplane.core.manifest import JSON
from groundplane.kubernetes.cel.engine import Program, RuleError, compiled
from groundplane.kubernetes.schema.node import Node, Rule
from groundplane.kubernetes.schema.transition import previous
from groundplane.kubernetes.schema.values import cel_kind, to_cel
from groundplane.kubernetes.schema.violation import Violation, item, member

_OLD = re.compile(r"\boldSelf\b")
_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


def rule_violations(node: Node, value: JSON, old: JSON, path: str = "") -> Iterator[Violation]:
    """Yield what the rules at and below *node* refuse in *value*, which stands at *path*.

    Rules that read ``oldSelf`` run only where *old*, the value before, is not None. A rule that
    cannot be compiled or evaluated is a violation, as it would be to an API server.
    """
    if value is None or not node.ruled:
        return
    if node.rules:
        yield from _here(node, value, old, path)
    for key, entry, child, where in _below(node, value, path):
        yield from rule_violations(child, entry, previous(node, old, key, entry), where)


def _below(node: Node, value: JSON, path: str) -> Iterator[tuple[str | int, JSON, Node, str]]:
    if isinstance(value, dict):
        for name, entry in value.items():
            child = node.child(name)
            if child is not None:
                yield name, entry, child, member(path, name)
    elif isinstance(value, list) and node.items is not None:
        for index, entry in enumerate(value):
            yield index, entry, node.items, item(path, index)


def _here(node: Node, value: JSON, old: JSON, path: str) -> Iterator[Violation]:
    now = to_cel(value, node)
    before = None if old is None else to_cel(old, node)
    for rule in node.rules:
        if before is None and reads_old(rule.expression) and not rule.optional_old:
            continue
        message = _verdict(rule, cel_kind(node), now, before)
        if message is not None:
            yield Violation(_blamed(path, rule.field_path), message, "x-kubernetes-validations", value=value)


def reads_old(expression: str) -> bool:
    """Return whether *expression* reads ``oldSelf``, which makes it a transition rule."""
    return _OLD.search(_TEXT.sub("", expression)) is not None


def program(rule: Rule, kind: str) -> Program:
    """Return *rule* compiled for a ``self`` of *kind*.

    Raises:
        RuleError: the rule cannot be compiled.
    """
    return compiled(rule.expression, kind, optional_old=rule.optional_old)


def _verdict(rule: Rule, kind: str, now: JSON, before: JSON) -> str | None:
    try:
        result = program(rule, kind).run(now, before)
    except RuleError as error:
        return f"{rule.complaint} (the rule could not be evaluated: {error})"
    if result is True:
        return None
    if result is not False:
        return f"{rule.complaint} (the rule gave no true or false)"
    return _expressed(rule, kind, now, before) or rule.complaint


def _expressed(rule: Rule, kind: str, now: JSON, before: JSON) -> str:
    if not rule.message_expression:
        return ""
    try:
        expression = compiled(rule.message_expression, kind, optional_old=rule.optional_old)
        text = expression.run(now, before)
    except RuleError:
        return ""
    return text.strip() if isinstance(text, str) and "\n" not in text else ""


def _blamed(path: str, field_path: str) -> str:
    return f"{path}{field_path}" if path else field_path.removeprefix(".")
