"""The helpers of the scenarios on an API server that has much to do: what they do once more changes nothing."""

import json
import subprocess
from pathlib import Path
from typing import Any

from bareplane.kubectl import Kubectl
from controlplane.cluster import Manifest, Team
from controlplane.people import bind, binding
from controlplane.test_policies_environment import replaced


class Busy(Kubectl):
    """Answers as an API server: what is there cannot be created, and the first replacements come too late."""

    def __init__(self, late: int = 0) -> None:
        super().__init__(Path("/nowhere/kubeconfig"))
        self.bindings: dict[str, Manifest] = {}
        self.late = late

    def as_(self, user: str, *groups: str) -> "Busy":
        assert (user, groups) == ("developer", ())
        return self

    def run(self, *words: object, stdin: Any = None, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        assert seconds
        said = [str(word) for word in words if word not in {"-n", "team"}]
        verb, *rest = said
        if verb == "create" and rest[0] == "rolebinding":
            return self._create(rest[1])
        if verb == "create":  # a review
            return subprocess.CompletedProcess(said, 0, "true", "")
        if verb == "apply":
            self.bindings |= {one["metadata"]["name"]: one for one in stdin}
            return subprocess.CompletedProcess(said, 0, "", "")
        assert verb == "replace"
        self.late -= 1
        late = self.late >= 0
        error = "Error from server (Conflict): the object has been modified" if late else ""
        return subprocess.CompletedProcess(said, int(late), "" if late else json.dumps(stdin[0]), error)

    def _create(self, name: str) -> subprocess.CompletedProcess[str]:
        if name in self.bindings:
            error = f'error: failed to create rolebinding: rolebindings "{name}" already exists'
            return subprocess.CompletedProcess((), 1, "", error)
        self.bindings[name] = {}
        return subprocess.CompletedProcess((), 0, "", "")


def test_a_claim_is_replaced_again_when_crossplane_was_faster() -> None:
    kubectl = Busy(late=2)
    assert replaced(Team(kubectl, "team"))["metadata"]["name"] == "orders"
    assert kubectl.late < 0
    assert kubectl.bindings.keys() == {"edit"}


def test_a_right_is_given_twice_as_well_as_once() -> None:
    kubectl = Busy()
    for _ in range(2):
        bind(Team(kubectl, "team"), "clusterrole/groundplane:override", "override claims.groundplane.dev")
    assert [*kubectl.bindings] == ["groundplane-override"]


def test_a_binding_is_of_the_role_and_of_the_developer() -> None:
    made = binding("role/clusters")
    assert (made["roleRef"]["kind"], made["roleRef"]["name"]) == ("Role", "clusters")
    assert [one["name"] for one in made["subjects"]] == ["developer"]
    assert binding("clusterrole/edit")["roleRef"]["kind"] == "ClusterRole"
