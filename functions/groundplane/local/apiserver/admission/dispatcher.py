"""Reviews of writes: what mutating policies change about them, and what validating policies refuse."""

from __future__ import annotations

from groundplane.core.manifest import Manifest, at
from groundplane.kubernetes.cel.policies import RuleError
from groundplane.local.apiserver.admission import denials, mutating
from groundplane.local.apiserver.admission.attributes import Asked
from groundplane.local.apiserver.admission.cel import Scope
from groundplane.local.apiserver.admission.context import Sight, Source
from groundplane.local.apiserver.admission.denials import ConfigError
from groundplane.local.apiserver.admission.policies import Bound, bound

GROUP = "admissionregistration.k8s.io"
VALIDATING = "validatingadmissionpolic"
MUTATING = "mutatingadmissionpolic"
_LONGEST_MESSAGE = 5 * 1024  # bytes


class Admission:
    """Holds writes against the policies of a plane."""

    def __init__(self, source: Source) -> None:
        """Look into *source* for policies."""
        self._source = source
        self._bound: dict[str, list[Bound]] = {}

    def changed(self, resource: str) -> None:
        """Take notice that an object of *resource* was written: the next write meets the policies as they are then."""
        if resource.endswith(GROUP):
            self._bound.clear()

    def _concerned(self, stem: str, asked: Asked) -> list[Bound]:
        if asked.group == GROUP:
            return []  # or a policy could make itself unassailable
        if stem not in self._bound:
            listed = self._source.listed
            self._bound[stem] = bound(listed(f"{stem}ies.{GROUP}"), listed(f"{stem}ybindings.{GROUP}"))
        return [one for one in self._bound[stem] if one.concerns(asked, self._source.versions)]

    def mutated(self, asked: Asked) -> Manifest | None:
        """Return the object as the mutating policies leave it; None for a DELETE.

        Raises:
            StatusError: one of them cannot be carried out.
        """
        policies = self._concerned(MUTATING, asked)
        return mutating.mutated(policies, Sight(self._source, asked)) if policies else asked.new

    def check(self, asked: Asked) -> tuple[str, ...]:
        """Return what validating policies warn of, if none of them refuses *asked*.

        Raises:
            StatusError: one does; in its words.
        """
        policies = self._concerned(VALIDATING, asked)
        if not policies:
            return ()
        sight = Sight(self._source, asked)
        return tuple(warning for one in policies for warning in _checked(one, sight))


def _checked(one: Bound, sight: Sight) -> list[str]:
    actions = at(one.binding, "spec", "validationActions") or ["Deny"]
    found: list[str] = []
    try:
        for scope in sight.scopes(one):
            for validation in one.spec.get("validations") or []:
                if not (said := _said(one, scope, validation)):
                    continue
                if "Deny" in actions:
                    raise denials.denied(one, sight.asked, *said)
                if "Warn" in actions:
                    found.append(denials.warning(one, said[0]))
    except ConfigError as error:
        if one.fails:
            raise denials.misconfigured(one, sight.asked, error) from None
    except RuleError as error:
        if one.fails:
            raise denials.denied(one, sight.asked, str(error), "Invalid") from None
    return found


def _said(one: Bound, scope: Scope, validation: Manifest) -> tuple[str, str] | None:
    """Return message and reason of what does not hold; None when it does.

    Raises:
        RuleError: nobody knows, and the policy says not to ignore that.
    """
    try:
        if scope.value(validation["expression"]) is True:
            return None
    except RuleError:
        if one.fails:
            raise
        return None
    return _message(scope, validation), validation.get("reason") or "Invalid"


def _message(scope: Scope, validation: Manifest) -> str:
    if told := validation.get("messageExpression"):
        try:
            found = scope.value(told)
        except RuleError:
            found = ""
        if isinstance(found, str) and found.strip() and "\n" not in found and len(found.encode()) <= _LONGEST_MESSAGE:
            return found.strip()
    return str(validation.get("message") or f"failed expression: {validation['expression'].strip()}")
