"""A small world around one claim: what the API server holds, what operators write, and how Crossplane asks and applies.

It does what the reconciler does and nothing more: resolve requirements until they stop changing, then apply the answer
whole or, after a FATAL one, nothing.
"""

import asyncio
import base64
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf import json_format

from groundplane import contracts
from groundplane.compose import compose
from groundplane.core.manifest import Kind
from groundplane.core.observation import Observation, Observed
from groundplane.core.rendered import Desired
from groundplane.fn import FunctionRunner, encode
from groundplane.turn import Turn

Manifest = dict[str, Any]
Key = tuple[str, str]  # kind.group and name; there is one namespace

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
UID = "0b9d5a52-6f2d-4a38-9a4c-3b1c9d1e7f00"
CA = "-----BEGIN CERTIFICATE-----\nmade up\n-----END CERTIFICATE-----\n"
CRDS = (
    "clusters.postgresql.cnpg.io",
    "databases.postgresql.cnpg.io",
    "databaseroles.postgresql.cnpg.io",
    "scheduledbackups.postgresql.cnpg.io",
    "objectstores.barmancloud.cnpg.io",
    "podmonitors.monitoring.coreos.com",
    "prometheusrules.monitoring.coreos.com",
)
CONDITIONS = ("Accepted", "Serving", "Settled", "BackupCurrent", "RecoveryProven")
KUBERNETES: Manifest = {
    "engines": {"database": "cnpg"},
    "kubernetes": {"storageClass": "fast"},
    "backup": {"bucket": "acme-backups", "region": "eu-central-1"},
    "monitoring": {"runbookURL": "https://runbooks.example.com"},
}
CAPABILITIES = [
    fnv1.CAPABILITY_REQUIRED_RESOURCES,
    fnv1.CAPABILITY_CONDITIONS,
    fnv1.CAPABILITY_REQUIRED_SCHEMAS,
]


def encoded(**entries: str) -> dict[str, str]:
    """Return *entries* as the data of a Secret; ``_`` in a key stands for ``-``."""
    return {key.replace("_", "-"): base64.b64encode(value.encode()).decode() for key, value in entries.items()}


def decoded(secret: Manifest) -> dict[str, str]:
    """Return the entries of *secret* as text."""
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def claim(environment: str = "kubernetes", /, **spec: Any) -> Manifest:
    """Return the XDatabase ``orders`` of ``team-a`` with *spec*."""
    wanted = {"protocol": "postgresql", "version": "17", "tier": "Standard", "storage": {"size": "20Gi"}} | spec
    return {
        "apiVersion": "groundplane.dev/v1alpha1",
        "kind": "XDatabase",
        "metadata": {
            "name": "orders",
            "namespace": "team-a",
            "uid": UID,
            "generation": 1,
            "labels": {"groundplane.dev/environment": environment} if environment else {},
        },
        "spec": wanted,
    }


def key_of(manifest: Manifest) -> Key:
    """Return where *manifest* is kept."""
    return f"{manifest['kind']}.{manifest['apiVersion'].rpartition('/')[0]}", manifest["metadata"]["name"]


@dataclass(frozen=True)
class Asked:
    """Requirements, in a form that both ways in share."""

    objects: Mapping[str, tuple[Key, tuple[tuple[str, str], ...]]]
    schemas: frozenset[str]


@dataclass(frozen=True)
class Outcome:
    """What came of one reconcile, the same whichever way it was asked."""

    resources: dict[str, Manifest]
    ready: bool
    resources_ready: dict[str, bool]
    fatal: bool
    reason: str
    message: str
    conditions: dict[str, tuple[str, str, str]]  # status, reason, message
    status: Manifest
    ttl: int
    asked: Asked
    calls: int = 1

    def says(self, kind: str) -> str:
        """Return condition *kind* as ``status/reason``."""
        status, reason, _ = self.conditions[kind]
        return f"{status}/{reason}"


@dataclass
class World:
    """What an API server holds around one claim."""

    claim: Manifest = field(default_factory=claim)
    engine: str = "cnpg"
    objects: dict[Key, Manifest] = field(default_factory=dict)
    composed: dict[str, Key] = field(default_factory=dict)  # what Crossplane observes, by composed name
    installed: set[str] = field(default_factory=lambda: set(CRDS))
    through: str = "compose"
    now: datetime = NOW
    made: list[str] = field(default_factory=list)  # every password that was asked for
    seeded: Asked | None = None

    def put(self, manifest: Manifest) -> Manifest:
        """Keep *manifest* and return what is kept."""
        self.objects[key_of(manifest)] = deepcopy(manifest)
        return self.objects[key_of(manifest)]

    def environment(self, name: str = "kubernetes", /, **data: Any) -> "World":
        """Keep an environment with *data* over the usual; a value of None takes a section away."""
        merged = {key: value for key, value in (deepcopy(KUBERNETES) | data).items() if value is not None}
        self.put(environment_config(name, merged))
        return self

    def granted(self, *kinds: str) -> "World":
        """Keep the grants: *kinds*, or everything."""
        self.put(environment_config("groundplane-grants", {"version": "1", "kinds": list(kinds) or ["*"]}))
        return self

    def of(self, name: str) -> Manifest:
        """Return the object of composed resource *name*."""
        return self.objects[self.composed[name]]

    def make_password(self) -> str:
        """Return a new password and remember it."""
        self.made.append(f"made-password-{len(self.made) + 1}")
        return self.made[-1]

    def ask(self) -> Outcome:
        """Return what a reconcile says, without applying it.

        Raises:
            AssertionError: the requirements never became stable.
        """
        asked = self.seeded
        for calls in range(1, 7):
            found = self._call(asked)
            if found.fatal or found.asked == asked:
                return Outcome(**(found.__dict__ | {"calls": calls}))
            asked = found.asked
        msg = "the requirements never became stable"
        raise AssertionError(msg)

    def reconcile(self) -> Outcome:
        """Ask, and apply what is said: all of it, or nothing when it is FATAL."""
        said = self.ask()
        status = self.claim.get("status", {})
        conditions = [
            {"type": kind, "status": verdict[0], "reason": verdict[1], "message": verdict[2]}
            for kind, verdict in said.conditions.items()
        ]
        if said.fatal:
            self.claim["status"] = {**status, "conditions": conditions}
            return said
        self.claim["status"] = {**deepcopy(said.status), "conditions": conditions}
        for name in set(self.composed) - set(said.resources):
            self.objects.pop(self.composed.pop(name), None)
        for name, manifest in said.resources.items():
            before = self.objects.get(key_of(manifest), {})
            kept = self.put(manifest)
            kept["metadata"]["uid"] = f"uid-of-{name}"
            if "status" in before:
                kept["status"] = before["status"]
            self.composed[name] = key_of(manifest)
        return said

    def lose_references(self) -> None:
        """Make Crossplane observe nothing, while every object stays."""
        self.composed.clear()

    def seen(self, asked: Asked | None) -> Observation:
        """Return what a call is told after *asked*."""
        return Observation(
            composed={name: Observed.of(self.objects[key]) for name, key in self.composed.items()},
            required={name: [Observed.of(one) for one in found] for name, found in self._required(asked).items()},
            schemas={crd: crd in self.installed for crd in (asked.schemas if asked else ())},
            status=self.claim.get("status") or {},
        )

    def request(self, asked: Asked | None = None) -> fnv1.RunFunctionRequest:
        """Return the same as Crossplane's request."""
        request = fnv1.RunFunctionRequest()
        request.meta.tag = "a-tag"
        request.meta.capabilities.extend(CAPABILITIES)
        json_format.ParseDict({"engine": self.engine}, request.input)
        json_format.ParseDict(self.claim, request.observed.composite.resource)
        for name, key in self.composed.items():
            json_format.ParseDict(self.objects[key], request.observed.resources[name].resource)
        for name, found in self._required(asked).items():
            request.required_resources[name].SetInParent()
            for one in found:
                json_format.ParseDict(one, request.required_resources[name].items.add().resource)
        for crd in asked.schemas if asked else ():
            schema = request.required_schemas[crd]
            if crd in self.installed:
                schema.openapi_v3.update({"type": "object"})
        return request

    def respond(self, request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        """Return what the function says to *request*, through the edge."""
        runner = FunctionRunner(clock=lambda: self.now, make_password=self.make_password)
        return asyncio.run(runner.RunFunction(request, None))

    def turn(self, asked: Asked | None = None) -> Turn:
        """Return one turn, for a call of the pure core."""
        return Turn(
            contract=contracts.load("database"),
            engine=self.engine,
            manifest=Observed.of(self.claim),
            seen=self.seen(asked),
            now=self.now,
            make_password=self.make_password,
        )

    def _call(self, asked: Asked | None) -> Outcome:
        if self.through == "edge":
            return read(self.respond(self.request(asked)))
        answer = compose(self.turn(asked))
        found = read(encode(fnv1.RunFunctionRequest(), answer))
        # What the encoder must keep to itself is told by the answer, so that the two ways differ where they may.
        return Outcome(**(found.__dict__ | {"resources": _manifests(answer.resources), "fatal": answer.fatal}))

    def _required(self, asked: Asked | None) -> dict[str, list[Manifest]]:
        found: dict[str, list[Manifest]] = {}
        for name, ((kind, object_name), labels) in (asked.objects.items() if asked else ()):
            found[name] = [
                one
                for key, one in sorted(self.objects.items())
                if key[0] == kind and (key[1] == object_name or (labels and _has(one, dict(labels))))
            ]
        return found


def environment_config(name: str, data: Manifest) -> Manifest:
    """Return an EnvironmentConfig."""
    return {
        "apiVersion": "apiextensions.crossplane.io/v1beta1",
        "kind": "EnvironmentConfig",
        "metadata": {"name": name},
        "data": data,
    }


def fresh(through: str = "compose", /, environment: str = "kubernetes", **spec: Any) -> World:
    """Return a claim that nobody has looked at yet."""
    return World(claim=claim(environment, **spec), through=through).environment(environment or "default").granted()


def half_ready(through: str = "compose", /, **spec: Any) -> World:
    """Return a claim whose objects are applied and whose operator has only begun."""
    world = fresh(through, **spec)
    world.reconcile()
    world.of("cnpg-1-cluster")["status"] = {"phase": "Setting up primary", "readyInstances": 0}
    return world


def ready(through: str = "compose", /, **spec: Any) -> World:
    """Return a claim that is served and settled."""
    world = half_ready(through, **spec)
    operate(world)
    for _ in range(2):
        world.reconcile()
    return world


def operate(world: World, slot: str = "cnpg-1") -> None:
    """Write what the operator writes once all is well."""
    spec = world.of(f"{slot}-cluster")["spec"]
    world.of(f"{slot}-cluster")["status"] = {
        "phase": "Cluster in healthy state",
        "instances": spec["instances"],
        "readyInstances": spec["instances"],
        "currentPrimary": "orders-db-1-1",
        "image": "ghcr.io/cloudnative-pg/postgresql:17.6-standard-trixie",
        "conditions": [
            {"type": "Ready", "status": "True", "reason": "ClusterIsReady"},
            {"type": "Initialized", "status": "True", "reason": "Initialized"},
            {"type": "ContinuousArchiving", "status": "True", "reason": "ContinuousArchivingSuccess"},
            {"type": "LastBackupSucceeded", "status": "True", "reason": "LastBackupSucceeded"},
        ],
    }
    for role in ("database", "owner", "login-a", "login-b"):
        world.of(f"{slot}-{role}")["status"] = {"applied": True}
    if f"{slot}-store" in world.composed:
        archive = spec["plugins"][0]["parameters"]["serverName"]
        window = {
            "firstRecoverabilityPoint": "2026-11-20T02:00:00Z",
            "lastSuccessfulBackupTime": "2026-11-24T02:00:00Z",
        }
        world.of(f"{slot}-store")["status"] = {"serverRecoveryWindow": {archive: window}}
    name = world.composed[f"{slot}-cluster"][1]
    data = encoded(ca_crt=CA, ca_key="the-key-of-the-authority")
    data = {key.replace("-", "."): value for key, value in data.items()}
    world.put({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{name}-ca"}, "data": data})


def read(message: fnv1.RunFunctionResponse) -> Outcome:
    """Return *message* as an outcome."""
    fatal = [one for one in message.results if one.severity == fnv1.SEVERITY_FATAL]
    said = [*fatal, *(one for one in message.results if one.reason != "Notice")]
    composite = message.desired.composite
    plain: Callable[[Any], Any] = json_format.MessageToDict
    return Outcome(
        resources={name: _whole(plain(one.resource)) for name, one in message.desired.resources.items()},
        resources_ready={name: one.ready == fnv1.READY_TRUE for name, one in message.desired.resources.items()},
        ready=composite.ready == fnv1.READY_TRUE,
        fatal=bool(fatal),
        reason=said[0].reason if said else "",
        message=said[0].message if said else "",
        conditions={one.type: (_STATUS[one.status], one.reason, one.message) for one in message.conditions},
        status=_whole(plain(composite.resource)).get("status", {}),
        ttl=message.meta.ttl.seconds,
        asked=_asked(message.requirements),
    )


def kind_of(crd: str) -> Kind:
    """Return the kind that *crd* defines, for the few things that only its names matter to."""
    plural, _, group = crd.partition(".")
    return Kind(f"{group}/v1", plural, plural)


_STATUS = {
    fnv1.STATUS_CONDITION_TRUE: "True",
    fnv1.STATUS_CONDITION_FALSE: "False",
    fnv1.STATUS_CONDITION_UNKNOWN: "Unknown",
}


def _asked(requirements: fnv1.Requirements) -> Asked:
    objects = {
        name: (
            (f"{one.kind}.{one.api_version.rpartition('/')[0]}", one.match_name),
            tuple(sorted(one.match_labels.labels.items())),
        )
        for name, one in requirements.resources.items()
    }
    return Asked(objects, frozenset(requirements.schemas))


def _manifests(resources: Mapping[str, Desired]) -> dict[str, Manifest]:
    return {name: deepcopy(desired.manifest) for name, desired in resources.items()}


def _has(manifest: Manifest, labels: dict[str, str]) -> bool:
    return labels.items() <= manifest["metadata"].get("labels", {}).items()


def _whole(value: Any) -> Any:
    """Return *value* with whole numbers as integers, as an API server reads them."""
    if isinstance(value, dict):
        return {key: _whole(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_whole(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
