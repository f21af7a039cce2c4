"""A small world around one claim: what the API server holds, what operators write, and how Crossplane asks and applies.

It does what the reconciler does and nothing more: resolve requirements until they stop changing, then apply the answer
whole or, after a FATAL one, nothing.
"""

import asyncio
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf import json_format

from groundplane import contracts
from groundplane.compose.compose import compose
from groundplane.compose.request import Request
from groundplane.core.observation import Observation, Observed
from groundplane.function.fn import INSTALLED, FunctionRunner
from made_up import CA, CRDS, KUBERNETES, NOW, Key, Manifest, claim, encoded, environment_config, key_of
from outcomes import Asked, Outcome, read, read_answer

CAPABILITIES = [
    fnv1.CAPABILITY_REQUIRED_RESOURCES,
    fnv1.CAPABILITY_CONDITIONS,
    fnv1.CAPABILITY_REQUIRED_SCHEMAS,
]


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
            AssertionError: the requirements never became stable, or they did before everything was told.
        """
        asked = self.seeded
        for calls in range(1, 7):
            found = self._call(asked)
            if found.fatal or found.asked == asked:
                # It would be applied, and everything it leaves out would be deleted.
                assert found.says("Accepted") != "Unknown/Resolving", "the last answer is still resolving"
                return replace(found, calls=calls)
            asked = found.asked
        msg = "the requirements never became stable"
        raise AssertionError(msg)

    def reconcile(self, times: int = 1) -> Outcome:
        """Ask, and apply what is said: all of it, or nothing when it is FATAL. Return what was said last."""
        if times > 1:
            self.reconcile(times - 1)
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
            schemas={**dict(asked.told), **{crd: crd in self.installed for crd in asked.schemas}} if asked else {},
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
        if asked and asked.told:
            request.context.fields[INSTALLED].struct_value.update(dict(asked.told))
        for crd in asked.schemas if asked else ():
            schema = request.required_schemas[crd]
            if crd in self.installed:
                schema.openapi_v3.update({"type": "object"})
        return request

    def respond(self, request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        """Return what the function says to *request*, through the edge."""
        runner = FunctionRunner(clock=lambda: self.now, make_password=self.make_password)
        return asyncio.run(runner.RunFunction(request, None))

    def turn(self, asked: Asked | None = None) -> Request:
        """Return one turn, for a call of the pure core."""
        return Request(
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
        return read_answer(compose(self.turn(asked)))

    def _required(self, asked: Asked | None) -> dict[str, list[Manifest]]:
        found: dict[str, list[Manifest]] = {}
        for name, ((kind, object_name), labels) in asked.objects.items() if asked else ():
            found[name] = [
                one
                for key, one in sorted(self.objects.items())
                if key[0] == kind and (key[1] == object_name or (labels and _has(one, dict(labels))))
            ]
        return found


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
    world.reconcile(times=2)
    return world


def operate(world: World, slot: str = "cnpg-1") -> None:
    """Write what the operator writes once all is well."""
    spec, name = world.of(f"{slot}-cluster")["spec"], world.composed[f"{slot}-cluster"][1]
    instances = [f"{name}-{number + 1}" for number in range(spec["instances"])]
    world.of(f"{slot}-cluster")["status"] = {
        "phase": "Cluster in healthy state",
        "instances": len(instances),
        "readyInstances": len(instances),
        "instanceNames": instances,
        "instancesStatus": {"healthy": instances},
        "currentPrimary": instances[0],
        "targetPrimary": instances[0],
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
    if made := world.of(f"{slot}-database")["spec"].get("extensions"):
        created = [{"name": one["name"], "applied": True} for one in made]
        world.of(f"{slot}-database")["status"]["extensions"] = created
    if f"{slot}-store" in world.composed:
        archive = spec["plugins"][0]["parameters"]["serverName"]
        window = {
            "firstRecoverabilityPoint": "2026-11-20T02:00:00Z",
            "lastSuccessfulBackupTime": "2026-11-24T02:00:00Z",
        }
        world.of(f"{slot}-store")["status"] = {"serverRecoveryWindow": {archive: window}}
    data = encoded(ca_crt=CA, ca_key="the-key-of-the-authority")
    data = {key.replace("-", "."): value for key, value in data.items()}
    world.put({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{name}-ca"}, "data": data})


def _has(manifest: Manifest, labels: dict[str, str]) -> bool:
    worn: dict[str, str] = manifest["metadata"].get("labels", {})
    return labels.items() <= worn.items()
