"""The string formats that Kubernetes enforces, and the rules for its names."""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
import re
import urllib.parse
from collections.abc import Callable, Mapping

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# Any character may stand before the fraction: the API server's own pattern has an unescaped dot.
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(.\d+)?(z|[+-]\d{2}:\d{2})", re.ASCII)
_YEAR_ZERO = "0000"  # Go's calendar has it, Python's has not; both are leap years with 0004
_GO_DURATION = re.compile(r"[+-]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+", re.ASCII)
_WORDY_DURATION = re.compile(
    r"(\d+\s*(ns|nanoseconds?|us|µs|microseconds?|ms|milliseconds?|s|secs?|seconds?|"
    r"m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)\s*)+",
    re.ASCII | re.IGNORECASE,
)
_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_MAC = re.compile(r"[0-9a-f]{2}([:-][0-9a-f]{2}){5}", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(\.{_LABEL.pattern})*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LABEL_LENGTH = 63
_SUBDOMAIN_LENGTH = 253


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    known = "0004" + text.removeprefix(_YEAR_ZERO) if text.startswith(_YEAR_ZERO) else text
    try:
        datetime.date.fromisoformat(known)
    except ValueError:
        return False
    return True


def is_date_time(text: str) -> bool:
    """Return whether the API server takes *text* for a time: RFC 3339 with a zone, and forms near to it."""
    date, *rest = text.lower().split("t")  # it looks no further than to the next t
    return bool(rest) and _is_date(date) and _TIME.fullmatch(rest[0]) is not None


def is_base64(text: str) -> bool:
    """Return whether *text* is standard base64 with its padding."""
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_duration(text: str) -> bool:
    return bool(_GO_DURATION.fullmatch(text) or _WORDY_DURATION.fullmatch(text.strip()))


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def accepts(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return accepts


def _network(text: str) -> object:
    if "/" not in text:
        raise ValueError
    return ipaddress.ip_interface(text)


def is_label_name(text: str) -> bool:
    """Return whether *text* is a DNS label (RFC 1123): at most 63 characters."""
    return len(text) <= _LABEL_LENGTH and _LABEL.fullmatch(text) is not None


def is_service_name(text: str) -> bool:
    """Return whether *text* is a DNS label that starts with a letter (RFC 1035)."""
    return len(text) <= _LABEL_LENGTH and _LABEL_1035.fullmatch(text) is not None


def is_subdomain(text: str) -> bool:
    """Return whether *text* is a DNS subdomain, as most object names must be."""
    return len(text) <= _SUBDOMAIN_LENGTH and _SUBDOMAIN.fullmatch(text) is not None


def is_qualified_name(text: str) -> bool:
    """Return whether *text* can be the key of a label or annotation."""
    prefix, slash, name = text.rpartition("/")
    if slash and not is_subdomain(prefix):
        return False
    return len(name) <= _LABEL_LENGTH and _QUALIFIED.fullmatch(name) is not None


def is_label_value(text: str) -> bool:
    """Return whether *text* can be the value of a label."""
    return text == "" or (len(text) <= _LABEL_LENGTH and _QUALIFIED.fullmatch(text) is not None)


def _is_uri(text: str) -> bool:
    return text.startswith("/") or bool(urllib.parse.urlsplit(text).scheme)


#: What each enforced format accepts; a format that is not here is not enforced.
FORMATS: Mapping[str, Callable[[str], bool]] = {
    "byte": is_base64,
    "cidr": _parses(_network),
    "date": _is_date,
    "date-time": is_date_time,
    "datetime": is_date_time,
    "duration": _is_duration,
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "hostname": lambda text: is_subdomain(text.lower().removesuffix(".")),
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "mac": lambda text: _MAC.fullmatch(text) is not None,
    "uri": _is_uri,
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
}

#: An example of each format whose look people forget.
EXAMPLES: Mapping[str, str] = {
    "cidr": "10.0.0.0/16",
    "date": "2026-01-31",
    "date-time": "2026-01-31T08:00:00Z",
    "duration": "1h30m",
}

#: The range of each integer format.
RANGES: Mapping[str, tuple[int, int]] = {
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
