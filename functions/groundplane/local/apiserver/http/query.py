"""The query parameters of requests, checked."""

from __future__ import annotations

from collections.abc import Mapping

from groundplane.kubernetes import status_errors

_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_MATCHES = ("Exact", "NotOlderThan", "")
_TRUE = ("1", "t", "T", "true", "TRUE", "True")


def flag(query: Mapping[str, str], name: str) -> bool:
    """Return whether the parameter *name* is given and true."""
    return query.get(name, "") in _TRUE


def number(query: Mapping[str, str], name: str) -> int:
    """Return the parameter *name*, 0 when it is absent.

    Raises:
        StatusError: It is no number.
    """
    text = query.get(name) or "0"
    try:
        return int(text)
    except ValueError:
        raise status_errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def dry_run(query: Mapping[str, str], kind: str) -> bool:
    """Return whether nothing is to be written; *kind* is that of the options, such as PatchOptions.

    Raises:
        StatusError: It is neither absent nor All.
    """
    value = query.get("dryRun", "")
    if value not in ("", "All"):
        message = f'Unsupported value: ["{value}"]: supported values: "All"'
        raise _refused(kind, "FieldValueNotSupported", message, "dryRun")
    return bool(value)


def validation(query: Mapping[str, str], kind: str) -> str:
    """Return what unknown fields lead to; Warn unless it is said.

    Raises:
        StatusError: It is no such word.
    """
    value = query.get("fieldValidation", "")
    if value not in _VALIDATIONS:
        options = ", ".join(f'"{one}"' for one in _VALIDATIONS)
        message = f'Unsupported value: "{value}": supported values: {options}'
        raise _refused(kind, "FieldValueNotSupported", message, "fieldValidation")
    return value or "Warn"


def check_apply(query: Mapping[str, str], *, applies: bool) -> None:
    """Check what only an apply must say, and what only an apply may say.

    Raises:
        StatusError: It does not.
    """
    if applies and not query.get("fieldManager"):
        message = "Required value: is required for apply patch"
        raise _refused("PatchOptions", "FieldValueRequired", message, "fieldManager")
    if not applies and "force" in query:
        message = "Forbidden: may not be specified for non-apply patch"
        raise _refused("PatchOptions", "FieldValueForbidden", message, "force")


def check_list(query: Mapping[str, str], *, watch: bool, newest: int) -> None:
    """Check the version that a list or watch asks for; *newest* is the store's.

    Raises:
        StatusError: It cannot be given.
    """
    match, version = query.get("resourceVersionMatch", ""), query.get("resourceVersion", "")
    initial = "sendInitialEvents" in query
    if initial and not watch:
        message = "Forbidden: sendInitialEvents is forbidden for list"
        raise _refused("ListOptions", "FieldValueForbidden", message, "sendInitialEvents")
    if initial and match != "NotOlderThan":
        message = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        raise _refused("ListOptions", "FieldValueForbidden", message, "resourceVersionMatch")
    if match and not version and not initial:
        message = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise _refused("ListOptions", "FieldValueForbidden", message, "resourceVersionMatch")
    if match not in _MATCHES:
        options = ", ".join(f'"{one}"' for one in _MATCHES)
        message = f'Unsupported value: "{match}": supported values: {options}'
        raise _refused("ListOptions", "FieldValueNotSupported", message, "resourceVersionMatch")
    _check_version(version, watch=watch, newest=newest)
    if not watch and match == "Exact" and int(version) < newest:
        raise status_errors.StatusError(
            410, "Expired", f"The resourceVersion for the provided list is too old: {version}"
        )


def _check_version(version: str, *, watch: bool, newest: int) -> None:
    if version and not version.isdigit():
        why = f'resourceVersion: Invalid value: "{version}": strconv.ParseUint: parsing "{version}": invalid syntax'
        raise status_errors.internal(why) if watch else status_errors.bad_request(f"invalid resource version: {why}")
    if not watch and version and int(version) > newest:
        details = {
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            "retryAfterSeconds": 1,
        }
        message = f"Timeout: Too large resource version: {version}, current: {newest}"
        raise status_errors.StatusError(504, "Timeout", message, details)


def _refused(kind: str, reason: str, message: str, field: str) -> status_errors.StatusError:
    return status_errors.invalid("meta.k8s.io", kind, "", [status_errors.Cause(reason, message, field)])
