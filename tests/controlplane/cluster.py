"""A cluster with Groundplane in it, as a scenario uses it: through the real kubectl."""

import contextlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bareplane.kubectl import Kubectl, KubectlError
from bareplane.plane import Plane
from bareplane.waiting import PATIENCE_SECONDS, NotYetError, eventually

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"
ENVIRONMENT_LABEL = "groundplane.dev/environment"
Manifest = dict[str, Any]
# What a real cluster writes at any time, and what no claim owns.
_NOT_OURS = ("events", "events.events.k8s.io", "leases.coordination.k8s.io")


@dataclass(frozen=True)
class Cluster:
    """A cluster with Crossplane, Groundplane's packages, and operators or their stand-ins."""

    kubectl: Kubectl
    plane: Plane | None  # None in a cluster that is not ours to break
    teams: list["Team"] = field(default_factory=list)

    def both(self) -> str:
        """Make an environment with everything that both engines read, so that a claim can move; return its name."""
        parts = [
            yaml.safe_load((EXAMPLES / "environments" / f"{name}.yaml").read_text()) for name in ("aws", "kubernetes")
        ]
        data = {**parts[0]["data"], **parts[1]["data"]}
        self.kubectl.apply({**parts[1], "metadata": {"name": "both"}, "data": data})
        return "both"

    def team(self, environment: str = "kubernetes", name: str = "") -> "Team":
        """Make a namespace of *environment* ("" for none) and return it."""
        name = name or f"team-{uuid.uuid4().hex[:8]}"
        labels = {ENVIRONMENT_LABEL: environment} if environment else {}
        self.kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        self.teams.append(Team(self.kubectl, name, roles=self.plane is None or not self.plane.embedded))
        return self.teams[-1]

    def rest(self) -> None:
        """Let Crossplane leave the claims of all teams alone: called every few seconds, they would slow others."""
        while self.teams:
            team = self.teams.pop()
            self.kubectl.ask("annotate", "xdatabases", "--all", "crossplane.io/paused=true", "-n", team.namespace)


@dataclass(frozen=True)
class Team:
    """One application team's namespace."""

    kubectl: Kubectl
    namespace: str
    roles: bool = True  # whether rights are given here; on one machine everybody has all of them

    def run(self, *words: str | Path, stdin: Any = None) -> str:
        """Run kubectl in the namespace."""
        return self.kubectl("-n", self.namespace, *words, stdin=stdin)

    def get(self, *words: str) -> Any:
        """Return an object of the namespace, or a list of objects."""
        return self.kubectl.get(*words, "-n", self.namespace)

    def apply(self, *objects: Manifest) -> str:
        """Apply *objects* in the namespace, as kubectl does by default."""
        return self.kubectl.apply(
            *({**one, "metadata": {**one["metadata"], "namespace": self.namespace}} for one in objects)
        )

    def claim(self, name: str = "orders") -> Manifest:
        """Return the claim as it is stored."""
        found: Manifest = self.get("xdatabase", name)
        return found

    def composed(self, name: str = "orders") -> dict[str, Manifest]:
        """Return the claim's composed objects, by composed name, as its resource references lead to them."""
        found = {}
        for reference in self.claim(name)["spec"].get("crossplane", {}).get("resourceRefs", []):
            kind = f"{reference['kind']}.{reference['apiVersion'].rpartition('/')[0]}".rstrip(".")
            with contextlib.suppress(KubectlError):
                one = self.get(kind, reference["name"])
                found[one["metadata"]["annotations"]["crossplane.io/composition-resource-name"]] = one
        return found

    def binding(self, name: str = "orders") -> Manifest:
        """Return the binding Secret."""
        found: Manifest = self.get("secret", f"{name}-db-binding")
        return found

    def everything(self) -> dict[str, Manifest]:
        """Return every object of the namespace, by kind and name, but events and leases."""
        kinds = self.kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
        wanted = ",".join(kind for kind in kinds if kind not in _NOT_OURS)
        found = json.loads(self.run("get", wanted, "-o", "json"))["items"]
        return {f"{one['kind']}.{one['apiVersion']}/{one['metadata']['name']}": one for one in found}

    def versions(self) -> dict[str, tuple[str, int]]:
        """Return resource version and generation of every object of the namespace."""
        found = self.everything().items()
        return {key: (one["metadata"]["resourceVersion"], one["metadata"].get("generation", 0)) for key, one in found}

    def events(self, name: str = "orders") -> list[str]:
        """Return the claim's events, each as `Type Reason message`."""
        found = self.get("events", f"--field-selector=involvedObject.name={name},involvedObject.kind=XDatabase")
        return [f"{one['type']} {one['reason']} {one['message']}" for one in found]

    def wait(
        self, holds: Callable[[Manifest], object], name: str = "orders", seconds: float = PATIENCE_SECONDS
    ) -> Manifest:
        """Return the claim once *holds* says so of it.

        Raises:
            NotYetError: it did not within *seconds*.
        """
        claim: Manifest = {}

        def held() -> object:
            nonlocal claim
            claim = self.claim(name)
            return holds(claim)

        try:
            eventually(held, seconds)
        except NotYetError:
            raise NotYetError("\n".join(["the claim is still:", told(claim), *self.events(name)])) from None
        return claim

    def ready(self, name: str = "orders", seconds: float = PATIENCE_SECONDS) -> Manifest:
        """Return the claim once it is served and settled."""
        return self.wait(served, name, seconds)


def example(name: str = "database/cnpg", /, **spec: Any) -> Manifest:
    """Return an example claim, without its namespace, with *spec* over its own."""
    found: Manifest = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())
    return {**found, "metadata": {"name": found["metadata"]["name"]}, "spec": {**found["spec"], **spec}}


def orders(**spec: Any) -> Manifest:
    """Return the claim that most scenarios use."""
    return {**example("database/cnpg", **spec), "metadata": {"name": "orders"}}


def chosen(engine: str) -> str:
    """Return the patch with which a claim asks for another engine."""
    return f'{{"spec":{{"crossplane":{{"compositionRef":{{"name":"xdatabase-{engine}"}}}}}}}}'


def condition(claim: Manifest, kind: str) -> Manifest:
    """Return a condition of *claim*, or an empty one."""
    found = claim.get("status", {}).get("conditions", [])
    return next(
        (one for one in found if one["type"] == kind), {"type": kind, "status": "", "reason": "", "message": ""}
    )


def is_true(claim: Manifest, kind: str) -> bool:
    """Tell whether a condition holds."""
    return bool(condition(claim, kind)["status"] == "True")


def served(claim: Manifest) -> bool:
    """Tell whether *claim* is served, and nothing is under way."""
    return all(is_true(claim, kind) for kind in ("Ready", "Serving", "Settled"))


def refused(claim: Manifest, reason: str) -> bool:
    """Tell whether the function refused *claim* for *reason*."""
    accepted = condition(claim, "Accepted")
    return (accepted["status"], accepted["reason"]) == ("False", reason)


def told(claim: Manifest) -> str:
    """Return what the conditions say, one a line."""
    found = claim.get("status", {}).get("conditions", [])
    return "\n".join(f"{one['type']}={one['status']} {one['reason']}: {one.get('message', '')}" for one in found)
