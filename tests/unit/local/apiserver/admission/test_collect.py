"""What goes because something else goes is asked about, too, under the name of whoever deletes it on a cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from admission_policies import CONFIG, bind, policy, settings
from admission_world import CRD, GROUP, XDATABASE, World, claim, namespace, world
from groundplane.core.manifest import Manifest
from groundplane.local.apiserver.authentication import COLLECTOR
from groundplane.local.apiserver.kinds.builtin import XRD_NAME
from groundplane.local.apiserver.storage.records import Key
from plane_process import settle

CLAIMS = "xdatabases.groundplane.dev"
XRD = ("apiextensions.crossplane.io/v2", "CompositeResourceDefinition")


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "data") as made:
        yield made


def consented(plane: World, kind: tuple[str, str], name: str) -> None:
    """Delete what may be deleted by consent alone, with that."""
    consent = {"metadata": {"annotations": {f"{GROUP}/delete-consent": name}}}
    plane.patch("owner", kind, "", name, consent, keep=True)
    plane.delete("owner", kind, "", name, keep=True)
    settle(plane.api)


def claims(plane: World) -> set[str]:
    return {one["metadata"]["name"] for one in plane.api.store.objects(CLAIMS)}


def test_whoever_lets_a_kind_go_lets_all_its_objects_go(plane: World) -> None:
    consented(plane, CRD, CLAIMS)
    assert claims(plane) == set()


def test_a_definition_that_goes_takes_no_claim_along(plane: World) -> None:
    before = claims(plane)
    assert before
    consented(plane, XRD, CLAIMS)
    assert claims(plane) == before
    waiting = plane.api.store.get(Key(XRD_NAME, "", CLAIMS))
    assert waiting
    assert waiting["metadata"]["deletionTimestamp"]
    kind = plane.api.store.get(Key("customresourcedefinitions.apiextensions.k8s.io", "", CLAIMS))
    assert kind
    assert "deletionTimestamp" not in kind["metadata"]


def test_a_namespace_that_goes_takes_no_protected_claim_along(plane: World) -> None:
    plane.create("nobody asks", namespace("doomed", "local"), keep=True)
    for name in ("held", "free"):
        made = claim(name, "doomed", tier="Standard")
        made["metadata"]["labels"] = {f"{GROUP}/environment": "local"}
        plane.create("nobody asks", made, keep=True)
    place = (XDATABASE, "doomed", "held", {"status": {"engine": "local"}})
    plane.patch("nobody asks", *place, subresource="status", keep=True)
    consented(plane, ("v1", "Namespace"), "doomed")
    assert [one["metadata"]["name"] for one in plane.api.store.objects(CLAIMS, "doomed")] == ["held"]
    plane.patch(
        "nobody asks", XDATABASE, "doomed", "held", {"status": {"engine": None}}, subresource="status", keep=True
    )
    settle(plane.api)
    assert plane.api.store.get(Key("namespaces", "", "doomed")) is None


def dependent(owners: list[Manifest]) -> Manifest:
    made = settings("dependent")
    made["metadata"]["ownerReferences"] = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": one["metadata"]["name"], "uid": one["metadata"]["uid"]}
        for one in owners
    ]
    return made


@pytest.mark.parametrize("refuses", [False, True])
def test_the_collector_takes_an_owner_away_only_where_it_may(plane: World, *, refuses: bool) -> None:
    owners = [plane.create("owner", settings(name), keep=True).manifest for name in ("one", "two")]
    plane.create("owner", dependent(owners), keep=True)
    if refuses:
        bind(plane, policy(validations=[{"expression": f"request.userInfo.username != '{COLLECTOR.name}'"}]))
    plane.delete("owner", CONFIG, "default", "one", keep=True)
    settle(plane.api)
    left = plane.api.store.get(Key("configmaps", "default", "dependent"))
    assert left
    assert len(left["metadata"]["ownerReferences"]) == (2 if refuses else 1)
