"""A cluster with one claim on rds, an AWS account and its provider, which may be restarted at every step it takes."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import catalogue
from answering import answer, claim_of
from groundplane.core.answer import Answer
from groundplane.core.condition import Type
from groundplane.core.manifest import JSON, Manifest, at
from standins.account import KINDS, Account
from standins.aws import EXTERNAL_NAME, INCOMPLETE, PENDING, Provider
from standins.served import played

ENGINE = catalogue.Engine("database", "rds")
RESOURCE = "crossplane.io/composition-resource-name"
DELETED = "2026-11-24T12:00:00Z"
ENOUGH = 30  # turns in which everything comes to rest
Key = tuple[str, str]


class RestartError(Exception):
    """The provider's process ends here."""


@dataclass
class Restarts:
    """Counts what the provider does to the cluster and to the account, and ends its process at one step."""

    at: int = -1
    steps: int = 0

    def step(self) -> None:
        """Pass one step, or end here."""
        self.steps += 1
        if self.steps - 1 == self.at:
            raise RestartError


@dataclass
class Told(Account):
    """An account whose every change is two steps: before and after."""

    restarts: Restarts = field(default_factory=Restarts)

    def create(self, kind: str, settings: Manifest) -> str:
        """Make something, as ever."""
        return str(self._between(lambda: super(Told, self).create(kind, settings)))

    def change(self, kind: str, identity: str, settings: Manifest) -> None:
        """Change something, as ever."""
        self._between(lambda: super(Told, self).change(kind, identity, settings))

    def delete(self, kind: str, identity: str, settings: Manifest) -> None:
        """Delete something, as ever."""
        self._between(lambda: super(Told, self).delete(kind, identity, settings))

    def _between(self, work: Callable[[], Any]) -> Any:
        self.restarts.step()
        made = work()
        self.restarts.step()
        return made


class Cluster:
    """The API server, Crossplane and the providers around one claim."""

    def __init__(
        self, restart_at: int = -1, birth_seconds: float = 0, account: Told | None = None, **spec: JSON
    ) -> None:
        self.now = 0.0
        self.account = account or Told(clock=lambda: self.now, birth_seconds=birth_seconds)
        self.account.clock = lambda: self.now
        self.account.restarts = self.restarts = Restarts(restart_at)
        example = catalogue.one(ENGINE.example)["spec"]
        self.claim = claim_of(ENGINE, {**example, "deletionPolicy": "Delete", **spec})
        self.objects: dict[Key, Manifest] = {}
        self.applied: dict[Key, Manifest] = {}
        self.said: Answer | None = None
        self.helped: list[str] = []  # what a person had to do, as `kind: what was said`
        self.restart()

    def restart(self) -> None:
        """Let the provider forget all that it only remembered."""
        self.provider = Provider(self.account, self._write, self._find)

    def turn(self) -> None:
        """Let Crossplane reconcile the claim once, if it is there, and every provider look at its objects."""
        if self.claim:
            self.reconcile()
        for key in [*self.objects]:
            if key in self.objects:
                self._serve(self.objects[key])
        self.now += 1

    def rest(self, turns: int = ENOUGH) -> None:
        """Take turns until nothing changes any more, a person helping where only one can."""
        for _ in range(turns):
            before = deepcopy((self.objects, self.account.there))
            waiting, steps = self.account.is_busy(), self.restarts.steps
            self.turn()
            self._help()
            if before == (self.objects, self.account.there) and not waiting and steps == self.restarts.steps:
                return

    def reconcile(self) -> None:
        """Ask the function once and apply what it answers."""
        composed = {one["metadata"]["annotations"][RESOURCE]: one for one in self.objects.values() if _composed(one)}
        self.said = answer(ENGINE, self.claim, composed, self.objects.values())
        self.claim["status"] = self.said.status
        if self.said.refusal or not self.said.resources:
            return
        wanted = {}
        for name, desired in self.said.resources.items():
            manifest = deepcopy(desired.manifest)
            manifest["metadata"] |= {"namespace": self.claim["metadata"]["namespace"]}
            manifest["metadata"].setdefault("annotations", {})[RESOURCE] = name
            wanted[_key(manifest)] = manifest
            self._apply(manifest)
        for key in [key for key, one in self.objects.items() if _composed(one) and key not in wanted]:
            self._delete(key)

    def delete(self) -> None:
        """Delete the claim, once the policy in force lets it go with its data."""
        assert self.claim["status"]["deletion"]["inForce"] == "Delete", self.message()
        self.claim = {}
        for key in [*self.objects]:
            self._delete(key)

    def holds(self, kind: Type) -> bool:
        """Tell whether a condition of the claim is True."""
        return self.said is not None and self.said.conditions[kind].holds

    def message(self) -> str:
        """Return what the claim says of being settled, and why it was refused."""
        assert self.said
        verdict = self.said.conditions[Type.SETTLED]
        return f"{verdict.reason}: {verdict.message} {self.said.refusal or ''}"

    def object(self, kind: str) -> Manifest:
        """Return the only object of *kind*."""
        (found,) = (one for one in self.objects.values() if one["kind"] == kind)
        return found

    def edit(self, **spec: JSON) -> None:
        """Change the claim as its owner."""
        self.claim["spec"] |= spec
        self.claim["metadata"]["generation"] += 1

    def _serve(self, found: Manifest) -> None:
        try:
            if found["kind"] in KINDS:
                self.provider.reconcile(deepcopy(found))
            elif found["apiVersion"].startswith("postgresql.sql.m"):
                self._serve_sql(found)
        except RestartError:
            self.restart()

    def _serve_sql(self, found: Manifest) -> None:
        if "deletionTimestamp" in found["metadata"]:
            del self.objects[_key(found)]
        elif at(self._find("Instance", "", self._instance()) or {}, "status", "atProvider", "address"):
            self.objects[_key(found)] = played(found)

    def _instance(self) -> str:
        return f"{self.claim['metadata']['name']}-db-1" if self.claim else ""

    def _help(self) -> None:
        """Do what the documents tell a person to do, where the claim's own message says that one has to."""
        for found in [one for one in self.objects.values() if one["kind"] in KINDS]:
            said = " ".join(one.get("message", "") for one in at(found, "status", "conditions") or [])
            worn = found["metadata"]["annotations"]
            if INCOMPLETE in said and self._is_told(found, PENDING):
                self._write(_with(found, {key: one for key, one in worn.items() if key != PENDING}), "", ours=False)
            elif ".Duplicate" in said and EXTERNAL_NAME not in worn and self._is_told(found, EXTERNAL_NAME):
                self._write(_with(found, {**worn, EXTERNAL_NAME: self._id_of(found)}), "", ours=False)

    def _is_told(self, found: Manifest, remedy: str) -> bool:
        """Tell whether the claim says that a person has to do this; nobody can know it otherwise."""
        self.reconcile()
        said = self.message()
        named = found["kind"] == "Instance" or f"{found['kind']} {found['metadata']['name']}" in said
        is_told = named and remedy in said
        if is_told:
            self.helped.append(f"{found['kind']}: {remedy}")
        return is_told

    def _id_of(self, found: Manifest) -> str:
        asked = found["spec"]["forProvider"]
        key = "name" if "name" in asked else "cidrIpv4"
        (identity,) = (one["id"] for one in self.account.there[found["kind"]].values() if one[key] == asked[key])
        return str(identity)

    def _find(self, kind: str, _namespace: str, name: str) -> Manifest | None:
        return self.objects.get((kind, name))

    def _write(self, manifest: Manifest, part: str, *, ours: bool = True) -> None:
        if ours:
            self.restarts.step()
        key = _key(manifest)
        if part == "status":
            self.objects[key]["status"] = deepcopy(manifest["status"])
        else:
            kept = {"status": self.objects[key]["status"]} if "status" in self.objects[key] else {}
            self.objects[key] = {**deepcopy(manifest), **kept}
            if "deletionTimestamp" in manifest["metadata"] and not manifest["metadata"].get("finalizers"):
                del self.objects[key]
        if ours:
            self.restarts.step()

    def _apply(self, manifest: Manifest) -> None:
        key = _key(manifest)
        live, owned = self.objects.get(key, {}), self.applied.get(key, {})
        made = _over(live, owned, manifest)
        made["metadata"].setdefault("uid", f"uid-of-{'-'.join(key)}")
        self.objects[key], self.applied[key] = made, deepcopy(manifest)

    def _delete(self, key: Key) -> None:
        found = self.objects[key]
        if found["metadata"].get("finalizers"):
            found["metadata"]["deletionTimestamp"] = DELETED
        else:
            del self.objects[key]


def _over(live: JSON, owned: JSON, wanted: JSON) -> JSON:
    """Return *live* after server-side apply of *wanted* by whom *owned* was applied before."""
    if not (isinstance(live, dict) and isinstance(wanted, dict)):
        return deepcopy(wanted)
    before = owned if isinstance(owned, dict) else {}
    kept = {name: value for name, value in live.items() if name in wanted or name not in before}
    return kept | {name: _over(live.get(name), before.get(name), value) for name, value in wanted.items()}


def _with(found: Manifest, annotations: Manifest) -> Manifest:
    return {**found, "metadata": {**found["metadata"], "annotations": annotations}}


def _composed(found: Manifest) -> bool:
    return RESOURCE in found["metadata"].get("annotations", {})


def _key(manifest: Manifest) -> Key:
    return manifest["kind"], manifest["metadata"]["name"]
