"""What a refusal says: the API server's words, and its codes, where these are odd, too."""

from __future__ import annotations

from groundplane.kubernetes import status_errors
from groundplane.local.apiserver.admission.attributes import Asked
from groundplane.local.apiserver.admission.policies import Bound

_CODES = {"Forbidden": 403, "RequestEntityTooLarge": 413}
_MUTATING = "MutatingAdmissionPolicy"


class ConfigError(Exception):
    """A policy cannot be asked, because it or its binding leads nowhere.

    Attributes:
        what: Which of the two: ``policy`` or ``binding``.
    """

    def __init__(self, what: str, why: str) -> None:
        """Say *why*."""
        super().__init__(f"failed to configure {what}: {why}")
        self.what = what


def denied(one: Bound, asked: Asked, said: str, reason: str) -> status_errors.StatusError:
    """Return the refusal by a policy, which *said* why."""
    kind = "policy" if one.policy["kind"] == _MUTATING else one.policy["kind"]
    return _refusal(one, asked, f"{kind} '{one.name}' with binding '{one.binding_name}' denied request: {said}", reason)


def misconfigured(one: Bound, asked: Asked, error: ConfigError) -> status_errors.StatusError:
    """Return the refusal because a policy cannot be asked."""
    mutates = one.policy["kind"] == _MUTATING
    reason = "Forbidden" if mutates else "Invalid"
    if error.what == "binding":
        return denied(one, asked, str(error), reason)
    who = f'policy "{one.name}"' if mutates else f"{one.policy['kind']} '{one.name}'"
    return _refusal(one, asked, f"{who} denied request: {error}", reason)


def warning(one: Bound, said: str) -> str:
    """Return what a policy that only warns says."""
    return f"Validation failed for {one.policy['kind']} '{one.name}' with binding '{one.binding_name}': {said}"


def _refusal(one: Bound, asked: Asked, why: str, reason: str) -> status_errors.StatusError:
    refused = status_errors.forbidden(asked.group, asked.plural, asked.title, why)
    details = {**(refused.details or {}), "causes": [{"message": why}]}
    # What a mutating policy refuses is forbidden, whatever reason it gives.
    code = 403 if one.policy["kind"] == _MUTATING else _CODES.get(reason, 422)
    return status_errors.StatusError(code, reason, str(refused), details)
