"""Claims for engine rds, what it makes of them, and what the providers would write under that."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import catalogue
from groundplane.compose.ownership import binding_secret, labelled
from groundplane.contracts.database import DatabaseSpec
from groundplane.contracts.environment import Environment, read
from groundplane.contracts.resolve import resolve
from groundplane.core.claim import Claim
from groundplane.core.manifest import CLAIM_UID, SLOT, Manifest
from groundplane.core.observation import Observation, Observed
from groundplane.core.refusal import Refusal
from groundplane.core.rendered import Rendered
from groundplane.core.slot import Slot
from groundplane.engines._aws import EXTERNAL_NAME
from groundplane.engines.database.rds import ENGINE
from groundplane.engines.database.rds._settings import RdsKnobs
from groundplane.engines.interface import Ask, Source

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PASSWORD = "made-up-Password-1"
ADDRESS = "gp-orders.c0ffee.eu-central-1.rds.amazonaws.com"
RUNNING = {"15": "15.14", "16": "16.10", "17": "17.6", "18": "18.1"}
_EXAMPLE = Path(catalogue.ENVIRONMENTS / "aws.yaml")


def environment(**sections: Any) -> Manifest:
    """Return the data of the example environment, each of *sections* merged into its own."""
    data = deepcopy(catalogue.one(_EXAMPLE)["data"])
    for name, section in sections.items():
        data[name] = {**data[name], **section} if isinstance(section, dict) else section
    return data  # type: ignore[no-any-return]  # It is what the YAML says.


def identity(name: str = "orders", namespace: str = "team-a", uid: str = "uid-1") -> Claim:
    """Return who asks."""
    return Claim("XDatabase", "db", namespace, name, uid, 1, "aws")


def knobs(**sections: Any) -> RdsKnobs:
    """Return the knobs of the example environment, with *sections* merged in."""
    found: RdsKnobs = read(RdsKnobs, "aws", environment(**sections))
    return found


@dataclass
class Case:
    """One claim on engine rds."""

    spec: Manifest = field(default_factory=dict)
    claim: Claim = field(default_factory=identity)
    data: Manifest = field(default_factory=environment)
    source: Source | None = None
    slot: Slot = field(default_factory=lambda: Slot("rds", 1))

    def changed(self, **spec: Any) -> "Case":
        """Return the same claim with other fields of its spec."""
        return Case({**self.spec, **spec}, self.claim, self.data, self.source, self.slot)

    def ask(self) -> Ask[DatabaseSpec, RdsKnobs]:
        """Return what the claim asks, resolved."""
        spec = DatabaseSpec.model_validate({"version": "17", "storage": {"size": "50Gi"}, **self.spec})
        effective = resolve("database", self.claim, spec, read(Environment, "aws", self.data))
        known: RdsKnobs = read(RdsKnobs, "aws", self.data)
        return Ask(self.claim, spec, effective, known, NOW, lambda: PASSWORD, self.source)

    def render(self, seen: Observation | None = None) -> Rendered:
        """Return what the engine makes of the claim."""
        return ENGINE.render(self.ask(), self.slot, seen or Observation())

    def manifest(self, role: str, seen: Observation | None = None) -> Manifest:
        """Return the manifest of the object that plays *role*."""
        return self.render(seen).resources[self.slot.resource(role)].manifest

    def instance(self, seen: Observation | None = None) -> Manifest:
        """Return the Instance's settings for the provider."""
        return self.manifest("instance", seen)["spec"]["forProvider"]  # type: ignore[no-any-return]  # Plain data.

    def refused(self, seen: Observation | None = None) -> str:
        """Return the reason and the words of the refusal that rendering ends with."""
        try:
            self.render(seen)
        except Refusal as refusal:
            return f"{refusal.reason}: {refusal.message}"
        return "not refused"

    def served(self, **changes: Any) -> "World":
        """Return the world in which everything of the claim is done; *changes* are of the Instance's status."""
        return World.of(self, **changes)


@dataclass
class World:
    """The composed objects of one claim, as an API server would have them."""

    case: Case
    objects: dict[str, Manifest]

    @classmethod
    def of(cls, case: Case, seen: Observation | None = None, **changes: Any) -> "World":
        """Return what is there once Crossplane applied the claim's answer and the providers did their work."""
        ask, rendered = case.ask(), case.render(seen)
        objects = {
            name: deepcopy(labelled(desired, case.claim, ask.effective, None).manifest)
            for name, desired in rendered.resources.items()
        }
        world = cls(case, objects)
        for manifest in objects.values():
            if manifest["kind"] not in {"Secret", "ProviderConfig"}:
                manifest["status"] = {"conditions": [condition("Ready"), condition("Synced")]}
        desired = objects[case.slot.resource("instance")]
        desired["metadata"]["annotations"]["crossplane.io/external-create-pending"] = "2026-11-24T08:00:00Z"
        there = {key: value for key, value in desired["spec"]["forProvider"].items() if key != "engineVersion"}
        version = RUNNING[desired["spec"]["forProvider"]["engineVersion"]]
        told = {
            "id": "db-ABC",
            "status": "available",
            "address": ADDRESS,
            "engineVersionActual": version,
            "latestRestorableTime": "2026-11-24T08:55:00Z",
        }
        desired["status"]["atProvider"] = {**there, **told, **changes}
        for manifest in objects.values():
            if manifest["kind"].startswith("SecurityGroup"):
                manifest["status"]["atProvider"] = {"id": f"sg-{manifest['metadata']['name']}"}
        world.name(seen)
        return world

    def name(self, seen: Observation | None = None) -> None:
        """Let the function be asked again: the provider writes no name that the cloud made up, the function does."""
        last = {**(seen.composed if seen else {}), **self.seen().composed}
        for name, desired in self.case.render(Observation(composed=last)).resources.items():
            if named := desired.manifest["metadata"].get("annotations", {}).get(EXTERNAL_NAME):
                self.objects[name]["metadata"]["annotations"][EXTERNAL_NAME] = named

    def object(self, role: str) -> Manifest:
        """Return the object that plays *role*, to be changed in place."""
        return self.objects[self.case.slot.resource(role)]

    def says(self, role: str, kind: str, message: str) -> "World":
        """Let the object that plays *role* say that condition *kind* is False."""
        conditions = self.object(role)["status"]["conditions"]
        conditions[:] = [entry for entry in conditions if entry["type"] != kind]
        conditions.append({**condition(kind, "False"), "message": message})
        return self

    def unborn(self) -> "World":
        """Let the cloud know nothing of the instance yet."""
        instance = self.object("instance")
        del instance["status"]["atProvider"]
        del instance["metadata"]["annotations"][EXTERNAL_NAME]
        return self

    def bind(self) -> "World":
        """Let the binding be there as well."""
        rendered = self.case.render(self.seen())
        assert rendered.binding is not None
        secret = binding_secret(rendered.binding, self.case.claim, self.case.slot, bound=True).manifest
        assert secret["metadata"]["annotations"][SLOT] == str(self.case.slot)
        assert secret["metadata"]["annotations"][CLAIM_UID] == self.case.claim.uid
        self.objects["binding"] = secret
        return self

    def seen(self) -> Observation:
        """Return what the function is told."""
        return Observation(composed={name: Observed.of(deepcopy(found)) for name, found in self.objects.items()})


def condition(kind: str, status: str = "True") -> Manifest:
    """Return a condition."""
    return {"type": kind, "status": status, "reason": "Test"}


EVERYTHING = Case(
    {
        "tier": "Critical",
        "resources": {"cpu": "3", "memory": "20Gi"},
        "database": {"name": "shop", "extensions": [{"name": "pg_stat_statements"}, {"name": "uuid-ossp"}]},
        "parameters": {"work_mem": "16384", "max_connections": "200"},
        "maintenanceWindow": {"day": "Saturday", "startHour": 23},
        "objectives": {"rpoSeconds": 1200},
    },
    data=environment(aws={"clientCidrs": ["10.0.0.0/16", "10.1.0.0/16"]}),
)


def manifests(case: Case) -> list[Manifest]:
    """Return every object that *case* composes."""
    return [desired.manifest for desired in case.render().resources.values()]


def managed(case: Case) -> list[Manifest]:
    """Return the managed resources: what a provider makes something of."""
    return [manifest for manifest in manifests(case) if "forProvider" in manifest.get("spec", {})]
