"""Reviews of writes: what mutating policies change about them, and what validating policies refuse."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from groundplane.core.manifest import JSON, Manifest, at
from groundplane.local.admission.asked import Asked
from groundplane.local.admission.expressions import Scope
from groundplane.local.admission.policies import Bound, bound
from groundplane.local.plane import errors, patching
from groundplane.schema.policy_cel import RuleError

GROUP: Final = "admissionregistration.k8s.io"
VALIDATING: Final = "ValidatingAdmissionPolicy"
MUTATING: Final = "MutatingAdmissionPolicy"
PLURALS: Final = {kind: f"{kind[:-1].lower()}ies.{GROUP}" for kind in (VALIDATING, MUTATING)}
BINDINGS: Final = {kind: f"{kind.lower()}bindings.{GROUP}" for kind in (VALIDATING, MUTATING)}
_CODES: Final = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413, "Invalid": 422}


@dataclass(frozen=True, slots=True)
class Source:
    """Where policies and their parameters are found.

    Attributes:
        listed: Returns all objects of a resource, ``plural.group``.
        of_kind: Returns all objects of a kind, by its apiVersion and kind.
        namespace: Returns a namespace by its name, or None.
    """

    listed: Callable[[str], list[Manifest]]
    of_kind: Callable[[str, str], list[Manifest]]
    namespace: Callable[[str], Manifest | None]


class Admission:
    """Holds writes against the policies of a plane."""

    def __init__(self, source: Source) -> None:
        """Look into *source* for policies."""
        self._source = source
        self._bound: dict[str, list[Bound]] | None = None

    def changed(self, resource: str) -> None:
        """Take notice that an object of *resource* was written: the next write meets the policies as they are then."""
        if resource.endswith(GROUP):
            self._bound = None

    def _policies(self, kind: str) -> list[Bound]:
        if self._bound is None:
            listed = self._source.listed
            self._bound = {one: bound(listed(PLURALS[one]), listed(BINDINGS[one])) for one in PLURALS}
        return self._bound[kind]

    def mutated(self, asked: Asked) -> Manifest | None:
        """Return the object as the mutating policies leave it.

        Raises:
            StatusError: one of them cannot be carried out.
        """
        found = asked.new
        if found is None:
            return None
        again = self._pass(asked, found)
        # Once more, because what a later one changed may be an earlier one's business.
        return found if again == found else self._pass(asked, again)

    def _pass(self, asked: Asked, found: Manifest) -> Manifest:
        for one in self._policies(MUTATING):
            now = _with(asked, found)
            for scope in self._scopes(one, now):
                for mutation in one.spec.get("mutations") or []:
                    found = _mutated(one, scope, mutation, asked, found)
        return found

    def check(self, asked: Asked) -> None:
        """Return if no validating policy refuses *asked*.

        Raises:
            StatusError: one does; in its words.
        """
        for one in self._policies(VALIDATING):
            if "Deny" not in (at(one.binding, "spec", "validationActions") or ["Deny"]):
                continue
            for scope in self._scopes(one, asked):
                for validation in one.spec.get("validations") or []:
                    _hold(one, scope, validation, asked)

    def _scopes(self, one: Bound, asked: Asked) -> Iterator[Scope]:
        """Yield what the expressions of a policy may know, once for each of its parameters.

        Raises:
            StatusError: a parameter is missing, or a condition cannot be worked out.
        """
        namespace = self._source.namespace(asked.namespace) if asked.namespaced else None
        if not one.selects(asked, namespace):
            return
        given: Manifest = {
            "object": asked.new,
            "oldObject": asked.old,
            "request": asked.request(),
            "namespaceObject": namespace,
            "params": None,
            "authorizer": {"allowed": asked.user.owns},
        }
        variables = {entry["name"]: entry["expression"] for entry in one.spec.get("variables") or []}
        if not _conditions_hold(one, Scope(given, {}), asked):
            return
        for params in self._parameters(one, asked):
            yield Scope({**given, "params": params}, variables)

    def _parameters(self, one: Bound, asked: Asked) -> list[Manifest | None]:
        kind, reference = one.spec.get("paramKind"), at(one.binding, "spec", "paramRef")
        if not kind or not reference:
            return [None]
        found = self._source.of_kind(kind["apiVersion"], kind["kind"])
        if name := reference.get("name"):
            found = [each for each in found if each["metadata"]["name"] == name]
        if found:
            return [*found]
        if reference.get("parameterNotFoundAction") == "Allow":
            return []
        why = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
        raise _denied(one, asked, why, "Forbidden")


def _with(asked: Asked, found: Manifest) -> Asked:
    fields = {name: getattr(asked, name) for name in Asked.__dataclass_fields__}
    return Asked(**{**fields, "new": found})


def _conditions_hold(one: Bound, scope: Scope, asked: Asked) -> bool:
    for condition in one.spec.get("matchConditions") or []:
        try:
            if scope.value(condition["expression"]) is not True:
                return False
        except RuleError as error:
            raise _denied(one, asked, str(error), "Forbidden") from None
    return True


def _hold(one: Bound, scope: Scope, validation: Manifest, asked: Asked) -> None:
    expression, reason = validation["expression"], validation.get("reason") or "Invalid"
    try:
        if scope.value(expression) is True:
            return
    except RuleError as error:
        raise _denied(one, asked, f"expression '{expression}' resulted in error: {error}", "Invalid") from None
    raise _denied(one, asked, _message(scope, validation), reason)


def _message(scope: Scope, validation: Manifest) -> str:
    if told := validation.get("messageExpression"):
        try:
            found = scope.value(told)
            if isinstance(found, str) and found.strip():
                return found
        except RuleError:
            pass
    return str(validation.get("message") or f"failed expression: {validation['expression'].strip()}")


def _mutated(one: Bound, scope: Scope, mutation: Manifest, asked: Asked, found: Manifest) -> Manifest:
    try:
        patch: JSON = scope.value(mutation["jsonPatch"]["expression"])
        return patching.json_patched(copy.deepcopy(found), patch) if patch else found
    except (RuleError, KeyError, patching.PatchError) as error:
        raise _denied(one, asked, f"failed to evaluate: {error}", "Invalid") from None


def _denied(one: Bound, asked: Asked, said: str, reason: str) -> errors.StatusError:
    binding = one.binding["metadata"]["name"]
    why = f"{one.kind} '{one.name}' with binding '{binding}' denied request: {said}"
    refused = errors.forbidden(asked.group, asked.plural, asked.name, why)
    details = {**(refused.details or {}), "causes": [{"message": why}]}
    return errors.StatusError(_CODES.get(reason, 422), reason, str(refused), details)
