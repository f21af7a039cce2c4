"""What is wrong with a policy or a binding that somebody writes, told as the API server tells it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.kubernetes.cel.policies import RuleError
from groundplane.kubernetes.status_errors import Cause, quoted
from groundplane.local.apiserver.admission.cel import VARIABLE, program

_GROUP = "admissionregistration.k8s.io"
_STEMS = ("validatingadmissionpolic", "mutatingadmissionpolic")
#: The resources that this is about.
NAMES = (*(f"{stem}ies.{_GROUP}" for stem in _STEMS), *(f"{stem}ybindings.{_GROUP}" for stem in _STEMS))
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_SELECTS = {"In": True, "NotIn": True, "Exists": False, "DoesNotExist": False}
_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")


def causes(manifest: Manifest) -> list[Cause]:
    """Return why *manifest*, a policy or a binding, is refused."""
    spec: Manifest = manifest.get("spec") or {}
    found = _policy if manifest["kind"].endswith("Policy") else _binding
    return [*found(spec, mutates=manifest["kind"].startswith("Mutating"))]


def _policy(spec: Manifest, *, mutates: bool) -> Iterator[Cause]:
    yield from _one_of(spec.get("failurePolicy") or "Fail", ("Fail", "Ignore"), "spec.failurePolicy")
    if (kind := spec.get("paramKind")) is not None:
        yield from (required(f"spec.paramKind.{name}") for name in ("apiVersion", "kind") if not kind.get(name))
    yield from _constraints(spec.get("matchConstraints"), "spec.matchConstraints", mutates=mutates)
    names = ("params",) if kind is not None else ()
    yield from _conditions(spec.get("matchConditions") or [], names)
    yield from _variables(spec.get("variables") or [], names)
    known = {one.get("name") for one in spec.get("variables") or []}
    yield from (_mutations if mutates else _validations)(spec, known, (*names, "variables"))


def _binding(spec: Manifest, *, mutates: bool) -> Iterator[Cause]:
    if not spec.get("policyName"):
        yield required("spec.policyName")
    reference = spec.get("paramRef")
    if reference is not None:
        yield from _reference(reference)
    if (constraints := spec.get("matchResources")) is not None:
        yield from _constraints(constraints, "spec.matchResources", mutates=mutates, rules=False)
    if mutates:
        return
    actions = spec.get("validationActions") or []
    if not actions:
        yield required("spec.validationActions", "at least one validation action is required")
    for index, action in enumerate(actions):
        yield from _one_of(action, ("Audit", "Deny", "Warn"), f"spec.validationActions[{index}]")
    if "Deny" in actions and "Warn" in actions:
        why = "must not contain both Deny and Warn (repeating the same validation failure information in the API"
        told = f"{why} response and headers serves no purpose)"
        shown = json.dumps(actions, separators=(",", ":"))
        yield Cause("FieldValueInvalid", f"Invalid value: {shown}: {told}", "spec.validationActions")


def _reference(reference: Manifest) -> Iterator[Cause]:
    place, named, selects = "spec.paramRef", reference.get("name"), reference.get("selector") is not None
    if named and selects:
        for name in ("name", "selector"):
            yield Cause("FieldValueForbidden", "Forbidden: name and selector are mutually exclusive", f"{place}.{name}")
    elif not named and not selects:
        yield required(place, "one of name or selector must be specified")
    action = reference.get("parameterNotFoundAction")
    if not action:
        yield required(f"{place}.parameterNotFoundAction")
    else:
        yield from _one_of(action, ("Allow", "Deny"), f"{place}.parameterNotFoundAction")


def _constraints(found: Manifest | None, place: str, *, mutates: bool, rules: bool = True) -> Iterator[Cause]:
    if found is None:
        yield required(place)
        return
    yield from _one_of(found.get("matchPolicy") or "Exact", ("Equivalent", "Exact"), f"{place}.matchPolicy")
    for name in ("namespaceSelector", "objectSelector"):
        for index, one in enumerate(at(found, name, "matchExpressions") or []):
            yield from _requirement(one, f"{place}.{name}.matchExpressions[{index}]")
    if rules and not found.get("resourceRules"):
        yield required(f"{place}.resourceRules")
    for name in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(found.get(name) or []):
            yield from _rule(rule, f"{place}.{name}[{index}]")
            if mutates and "DELETE" in (rule.get("operations") or []):
                allowed = tuple(one for one in _OPERATIONS if one != "DELETE")
                yield from _one_of("DELETE", allowed, f"{place}.{name}.operations")


def _requirement(one: Manifest, place: str) -> Iterator[Cause]:
    operator, values = one.get("operator"), one.get("values")
    if not one.get("key"):
        yield required(f"{place}.key")
    if operator not in _SELECTS:
        yield invalid(operator or "", "not a valid selector operator", f"{place}.operator")
    elif _SELECTS[operator] and not values:
        yield required(f"{place}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif not _SELECTS[operator] and values:
        why = "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        yield Cause("FieldValueForbidden", why, f"{place}.values")


def _rule(rule: Manifest, place: str) -> Iterator[Cause]:
    operations = rule.get("operations") or []
    if not operations:
        yield required(f"{place}.operations")
    for index, operation in enumerate(operations):
        yield from _one_of(operation, _OPERATIONS, f"{place}.operations[{index}]")
    for name in ("apiGroups", "apiVersions", "resources"):
        if not rule.get(name):
            yield required(f"{place}.{name}")
    yield from _one_of(rule.get("scope") or "*", _SCOPES, f"{place}.scope")


def _conditions(conditions: list[Manifest], names: tuple[str, ...]) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, one in enumerate(conditions):
        place, name = f"spec.matchConditions[{index}]", one.get("name") or ""
        yield from _expression(one.get("expression"), f"{place}.expression", names, "bool")
        if not name:
            yield required(f"{place}.name")
        elif name in seen:
            yield Cause("FieldValueDuplicate", f"Duplicate value: {quoted(name)}", f"{place}.name")
        seen.add(name)


def _variables(variables: list[Manifest], names: tuple[str, ...]) -> Iterator[Cause]:
    known: set[str] = set()
    for index, one in enumerate(variables):
        place, name = f"spec.variables[{index}]", one.get("name") or ""
        if not name:
            yield required(f"{place}.name", "name is not specified")
        elif not _IDENTIFIER.fullmatch(name):
            yield invalid(name, "must be a valid CEL identifier", f"{place}.name")
        yield from _expression(one.get("expression"), f"{place}.expression", (*names, "variables"), known=known)
        known.add(name)


def _validations(spec: Manifest, known: set[str], names: tuple[str, ...]) -> Iterator[Cause]:
    validations = spec.get("validations") or []
    if not validations and not spec.get("auditAnnotations"):
        why = "validations or auditAnnotations must contain at least one item"
        yield from (required(f"spec.{name}", why) for name in ("validations", "auditAnnotations"))
    for index, one in enumerate(validations):
        place = f"spec.validations[{index}]"
        yield from _expression(_trimmed(one.get("expression")), f"{place}.expression", names, "bool", known=known)
        if told := _trimmed(one.get("messageExpression")):
            yield from _expression(told, f"{place}.messageExpression", names, "string", known=known)
        reasons = ("Forbidden", "Invalid", "RequestEntityTooLarge")
        yield from _one_of(one.get("reason") or "Invalid", reasons, f"{place}.reason")


def _mutations(spec: Manifest, known: set[str], names: tuple[str, ...]) -> Iterator[Cause]:
    mutations = spec.get("mutations") or []
    if not mutations:
        yield required("spec.mutations", "mutations must contain at least one item")
    for index, one in enumerate(mutations):
        place = f"spec.mutations[{index}]"
        if not one.get("patchType"):
            yield required(f"{place}.patchType")
            continue
        # A cluster knows ApplyConfiguration, too; here it is refused, because it would not be carried out.
        yield from _one_of(one["patchType"], ("JSONPatch",), f"{place}.patchType")
        if one.get("patchType") == "JSONPatch":
            place = f"{place}.jsonPatch.expression"
            expression = _trimmed(at(one, "jsonPatch", "expression"))
            yield from _expression(expression, place, names, "list(JSONPatch)", known=known)
    policy = spec.get("reinvocationPolicy")
    if not policy:
        yield required("spec.reinvocationPolicy")
    else:
        yield from _one_of(policy, ("IfNeeded", "Never"), "spec.reinvocationPolicy")


def _trimmed(expression: str | None) -> str:
    return (expression or "").strip()


def _expression(
    expression: str | None, place: str, names: tuple[str, ...], wanted: str = "", *, known: Iterable[str] = ()
) -> Iterator[Cause]:
    """Yield what is wrong with *expression*: it may use *names* and the variables *known*, and comes to *wanted*."""
    if not expression or not expression.strip():
        yield required(place, "" if "matchConditions" in place else "expression is not specified")
        return
    try:
        found = program(expression, names).type
    except RuleError as error:
        yield invalid(expression, f"compilation failed: {error}", place)
        return
    unknown = [name for name in VARIABLE.findall(expression) if name not in known] if "variables" in names else []
    if unknown:
        yield invalid(expression, f"compilation failed: ERROR: undefined field '{unknown[0]}'", place)
    elif wanted and found != wanted and not (wanted == "list(JSONPatch)" and found.startswith("list(map")):
        yield invalid(expression, f"must evaluate to {wanted} but got {found}", place)


def required(place: str, why: str = "") -> Cause:
    """Return the cause that nothing stands at *place*."""
    return Cause("FieldValueRequired", "Required value" + (f": {why}" if why else ""), place)


def invalid(value: JSON, why: str, place: str) -> Cause:
    """Return the cause that *value* at *place* is wrong."""
    return Cause("FieldValueInvalid", f"Invalid value: {quoted(value)}: {why}", place)


def _one_of(value: str, allowed: tuple[str, ...], place: str) -> Iterator[Cause]:
    if value not in allowed:
        listed = ", ".join(map(quoted, allowed))
        message = f"Unsupported value: {quoted(value)}: supported values: {listed}"
        yield Cause("FieldValueNotSupported", message, place)
