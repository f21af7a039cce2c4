"""The packages that requirements/ pins."""

import re

from packaging.utils import canonicalize_name

import catalogue

PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)( ; [^\\]+)? \\$")


def pinned(file: str) -> dict[str, str]:
    """Return the pinned version of each package in one requirements file."""
    matches = map(PIN.match, (catalogue.ROOT / "requirements" / file).read_text().splitlines())
    return {canonicalize_name(match["name"]): match["version"] for match in matches if match}
