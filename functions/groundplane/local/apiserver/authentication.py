"""Who asks: people by the plane's token, and those who work inside it under the names that they have on a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

AUTHENTICATED: Final = "system:authenticated"
MASTERS: Final = "system:masters"
_ANONYMOUS: Final = "system:anonymous"
_UNAUTHENTICATED: Final = "system:unauthenticated"
_ACCOUNTS: Final = "system:serviceaccounts"
_PREFIX: Final = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class User:
    """A user, by name and groups."""

    name: str
    groups: tuple[str, ...]

    @property
    def owns(self) -> bool:
        """Whether the machine is this user's own, so that everything is allowed, also what is no real resource."""
        return MASTERS in self.groups

    @property
    def known(self) -> bool:
        """Whether this is anybody at all; on one machine whoever is, may do everything to real resources."""
        return AUTHENTICATED in self.groups or self.owns


def account(namespace: str, name: str) -> User:
    """Return a ServiceAccount as a user."""
    return User(f"{_PREFIX}{namespace}:{name}", (_ACCOUNTS, f"{_ACCOUNTS}:{namespace}", AUTHENTICATED))


def impersonated(name: str, groups: tuple[str, ...]) -> User:
    """Return the user that somebody asks to be; a ServiceAccount has its own groups, unless others are said."""
    if not groups and name.startswith(_PREFIX):
        namespace, _, short = name.removeprefix(_PREFIX).partition(":")
        return account(namespace, short)
    added = _UNAUTHENTICATED if name == _ANONYMOUS else AUTHENTICATED
    return User(name, groups if added in groups else (*groups, added))


OWNER: Final = User("groundplane:owner", (MASTERS, AUTHENTICATED))
CROSSPLANE: Final = account("crossplane-system", "crossplane")
COLLECTOR: Final = account("kube-system", "generic-garbage-collector")
NAMESPACES: Final = account("kube-system", "namespace-controller")
