"""What Crossplane and people may lose: references, owners, status. Nothing is deleted, nothing is made twice."""

import json

from bareplane.waiting import always, eventually
from controlplane.cluster import Manifest, Team, is_true, orders

CHILD = ("cluster.postgresql.cnpg.io", "orders-db-1")


def uids(objects: dict[str, Manifest]) -> dict[str, str]:
    return {name: one["metadata"]["uid"] for name, one in objects.items()}


def settled(team: Team) -> dict[str, str]:
    team.apply(orders())
    team.ready()
    return uids(team.everything())


def ends_quiet(team: Team, before: dict[str, str]) -> None:
    team.wait(lambda it: is_true(it, "Synced") and is_true(it, "Ready") and it["status"].get("slot") == "cnpg-1")
    eventually(lambda: uids(team.everything()) == before, 30)
    versions: dict[str, tuple[str, int]] = {}

    def rests() -> bool:
        nonlocal versions
        now = team.versions()
        same, versions = now == versions, now
        return same

    eventually(rests, 30)
    always(lambda: team.versions() == versions, 12)


def test_owner_references_stripped(team: Team) -> None:
    before = settled(team)
    team.run("patch", *CHILD, "--type=merge", "-p", '{"metadata":{"ownerReferences":null}}')
    eventually(lambda: team.get(*CHILD)["metadata"].get("ownerReferences"))
    ends_quiet(team, before)


def test_status_wiped(team: Team) -> None:
    before = settled(team)
    team.run(
        "patch",
        "xdatabase",
        "orders",
        "--subresource=status",
        "--type=json",
        "-p",
        '[{"op":"remove","path":"/status"}]',
    )
    ends_quiet(team, before)


def test_status_and_references_wiped(team: Team) -> None:
    before = settled(team)
    team.run(
        "patch", "xdatabase", "orders", "--type=json", "-p", '[{"op":"remove","path":"/spec/crossplane/resourceRefs"}]'
    )
    team.run(
        "patch",
        "xdatabase",
        "orders",
        "--subresource=status",
        "--type=json",
        "-p",
        '[{"op":"remove","path":"/status"}]',
    )
    ends_quiet(team, before)


def test_replaced_without_what_crossplane_wrote(team: Team) -> None:
    before = settled(team)
    plain = orders()
    plain["metadata"] |= {"namespace": team.namespace}
    team.run("replace", "-f", "-", stdin=json.dumps(plain))
    ends_quiet(team, before)
