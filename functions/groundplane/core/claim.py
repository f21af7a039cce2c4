"""Who asks: the identity of a claim, and every name that follows from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from groundplane.core.manifest import digest

if TYPE_CHECKING:
    from groundplane.core.slot import Slot


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim's identity. Names are forever: nothing here may depend on what is observed."""

    kind: str
    stem: str  # the kind's part in every name, so that an XDatabase and an XQueue never meet
    namespace: str
    name: str
    uid: str
    generation: int
    environment: str
    made_for: str = ""  # uid of the claim that the data were made for, where this one took them over
    taken_from: str = ""  # uid of the claim that it took them over from: objects may still carry it

    @property
    def label(self) -> str:
        """Value of the claim label that every composed object carries, such as ``db.orders``."""
        return f"{self.stem}.{self.name}"

    @property
    def origin(self) -> str:
        """The uid that names of backups derive from: it stays with the data when another claim takes them over."""
        return self.made_for or self.uid

    @property
    def life(self) -> str:
        """Eight characters that tell these data from those of an earlier claim of the same name."""
        return digest(self.origin)

    @property
    def binding(self) -> str:
        """Name of the binding Secret: stable across engines, slots and rotations."""
        return f"{self.name}-{self.stem}-binding"

    def object(self, slot: Slot, role: str = "") -> str:
        """Return the name of the Kubernetes object that plays *role* in *slot*."""
        name = f"{self.name}-{self.stem}-{slot.number}"
        return f"{name}-{role}" if role else name

    def cloud_name(self, slot: Slot, limit: int = 63) -> str:
        """Return a name for a place that knows no namespaces, such as a cloud account.

        It starts with a letter, has no double hyphen, is at most *limit* characters, and differs for any two of
        environment, namespace, kind, name and slot number. Its first part is the same for all of a namespace and
        cannot be had from another.
        """
        proof = digest(self.environment, self.namespace, self.kind, self.name, str(slot.number))
        stem = re.sub("-+", "-", self.name)[: limit - 21].strip("-")
        return f"{self.cloud_prefix}{stem}-{proof}"

    @property
    def cloud_prefix(self) -> str:
        """What every cloud name of this claim's namespace starts with; it proves where a backup comes from."""
        return f"gp-{digest(self.environment, self.namespace)}-"
