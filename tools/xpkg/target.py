"""Where packages will be pushed to, and as which version. Both stand inside them, so they are chosen before."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from groundplane import __version__, contracts
from groundplane.generate import packages

PLACEHOLDER = "registry.example.org"  # nobody can push to it, and nobody takes it for a real one
LONGEST = 63  # of a DNS label: Crossplane would cut the name of what it installs

_REGISTRY = re.compile(r"(?=[^/]*[.:]|localhost$)[A-Za-z0-9.-]+(:[0-9]+)?")
_PART = "[a-z0-9]+([._-]+[a-z0-9]+)*"
_ORG = re.compile(f"{_PART}(/{_PART})*")
_VERSION = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?")


class PackageError(Exception):
    """The message says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """A place in a registry, and a version.

    Attributes:
        registry: host, with a port where it needs one.
        org: the path below it that all packages share.
        version: the tag, such as ``v0.1.0``; dependencies name exactly this one.
    """

    registry: str
    org: str
    version: str

    def reference(self, name: str) -> str:
        """Return what the package *name* is pushed to and installed from."""
        return f"{self.registry}/{self.org}/{name}:{self.version}"


def chosen(environ: Mapping[str, str]) -> Target:
    """Return the target that REGISTRY, ORG and VERSION name.

    Raises:
        PackageError: one of them is not what a registry or Crossplane understands.
    """
    registry = environ.get("REGISTRY") or PLACEHOLDER
    org = environ.get("ORG") or packages.ORG
    version = environ.get("VERSION") or f"v{__version__}"
    if not _REGISTRY.fullmatch(registry):
        raise PackageError(f"REGISTRY={registry} is no registry; write its host alone, such as {PLACEHOLDER}:5000")
    if not _ORG.fullmatch(org):
        raise PackageError(f"ORG={org} is no path in a registry; write small letters, such as {packages.ORG}")
    if not _VERSION.fullmatch(version):
        raise PackageError(f"VERSION={version} is no version; write all three numbers, such as v{__version__}")
    longest = max((*map(packages.configuration, contracts.names()), packages.WHOLE), key=len)
    if len(f"{org}/{longest}") > LONGEST:
        raise PackageError(f"ORG={org} is too long: Crossplane cuts the name {org}/{longest} at {LONGEST} characters")
    return Target(registry, org, version)


def named(environ: Mapping[str, str]) -> Target:
    """Return the target of a push.

    Raises:
        PackageError: as `chosen`, and where nobody named a registry.
    """
    target = chosen(environ)
    if target.registry == PLACEHOLDER:
        raise PackageError("nobody said where to; name a registry: make push REGISTRY=host:port ORG=path")
    return target
