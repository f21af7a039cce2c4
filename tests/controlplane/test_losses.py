"""What Crossplane and people may lose: references, owners, status. Nothing is deleted, nothing is made twice."""

import json

from bareplane.waiting import eventually
from controlplane.cluster import Team, orders
from controlplane.people import controller, crossplane_of
from controlplane.resting import ends_quiet, settled

CHILD = ("cluster.postgresql.cnpg.io", "orders-db-1")
WIPED = '[{"op":"remove","path":"/status"}]'
UNREFERENCED = '[{"op":"remove","path":"/spec/crossplane/resourceRefs"}]'


def test_owner_references_stripped(team: Team) -> None:
    before = settled(team)
    stripped = '{"metadata":{"ownerReferences":null}}'  # by the collector: from everybody else it is refused
    collector = controller(team.kubectl, "generic-garbage-collector")
    collector("-n", team.namespace, "patch", *CHILD, "--type=merge", "-p", stripped)
    eventually(lambda: team.get(*CHILD)["metadata"].get("ownerReferences"))
    ends_quiet(team, before)


def test_status_wiped(team: Team) -> None:
    before = settled(team)
    wipe(team, WIPED, "--subresource=status")
    ends_quiet(team, before)


def test_status_and_references_wiped(team: Team) -> None:
    before = settled(team)
    wipe(team, UNREFERENCED)
    wipe(team, WIPED, "--subresource=status")
    ends_quiet(team, before)


def test_references_wiped_by_a_person(team: Team) -> None:
    before = settled(team)
    team.run("patch", "xdatabase", "orders", "--type=json", "-p", UNREFERENCED)
    ends_quiet(team, before)


def wipe(team: Team, patch: str, *words: str) -> None:
    """Take something off the claim as Crossplane, which no policy hinders."""
    kubectl = crossplane_of(team.kubectl)
    kubectl("-n", team.namespace, "patch", "xdatabase", "orders", *words, "--type=json", "-p", patch)


def test_replaced_without_what_crossplane_wrote(team: Team) -> None:
    before = settled(team)
    plain = orders()
    plain["metadata"] |= {"namespace": team.namespace}
    team.run("replace", "-f", "-", stdin=json.dumps(plain))
    ends_quiet(team, before)
