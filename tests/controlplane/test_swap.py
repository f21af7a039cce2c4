"""Another Composition for a living claim: nothing is lost, and nothing goes without consent."""

from bareplane.waiting import always, eventually
from controlplane.cluster import Cluster, Manifest, chosen, condition, is_true, orders, refused
from controlplane.resting import rests, uids, uids_of


def test_a_switched_composition_is_refused_and_switched_back_it_is_quiet(cluster: Cluster) -> None:
    team = cluster.team(cluster.both())
    team.apply(orders())
    team.ready()
    before, bound = team.composed(), team.binding()["data"]
    team.run("patch", "xdatabase", "orders", "--type=merge", "-p", chosen("rds"))
    claim = team.wait(lambda it: refused(it, "SwapNotApproved"))
    assert "cnpg-1" in condition(claim, "Accepted")["message"]
    assert is_true(claim, "Serving")
    always(lambda: uids(team.composed()) == uids(before), 8)
    assert team.binding()["data"] == bound
    team.run("patch", "xdatabase", "orders", "--type=merge", "-p", chosen("cnpg"))
    team.wait(lambda it: is_true(it, "Accepted") and is_true(it, "Synced"))
    assert uids(team.composed()) == uids(before)
    rests(team)


def test_a_slot_is_retired_by_consent_and_exactly_that_one_goes(cluster: Cluster) -> None:
    team = cluster.team(cluster.both())
    other = {**orders(), "metadata": {"name": "other"}}
    team.apply(orders(deletionPolicy="Delete"), other)
    team.ready()
    team.ready("other")
    before = team.everything()
    slot = {key for key, one in before.items() if of_slot(one, "cnpg-1", "db.orders")}
    with_it = {key for key, one in before.items() if owner(one) == "Cluster/orders-db-1"}  # what the operator made
    with_it.add("Secret.v1/orders-db-binding")  # its credentials open nothing any more; a new one follows
    team.run("patch", "xdatabase", "orders", "--type=merge", "-p", chosen("rds"))
    team.wait(lambda it: refused(it, "SwapNotApproved"))
    consent = '{"spec":{"migration":{"retiredSlots":["cnpg-1"]}}}'
    team.run("patch", "xdatabase", "orders", "--type=merge", "-p", consent)
    eventually(lambda: not any(name.startswith("cnpg-1") for name in team.composed()), 60)
    assert "Cluster.postgresql.cnpg.io/v1/orders-db-1" in slot
    gone = {one["metadata"]["uid"] for key, one in before.items() if key in slot | with_it}
    eventually(lambda: not gone & uids_of([*team.everything().values()]), 30)
    kept = uids({key: one for key, one in before.items() if key not in slot | with_it})
    assert kept.items() <= uids(team.everything()).items()
    team.wait(lambda it: it["status"].get("slot") == "rds-2")


def of_slot(one: Manifest, slot: str, label: str) -> bool:
    """Tell whether *one* was composed for *slot* of the claim with *label*."""
    metadata = one["metadata"]
    name = str(metadata.get("annotations", {}).get("crossplane.io/composition-resource-name"))
    return bool(metadata.get("labels", {}).get("groundplane.dev/claim") == label) and name.startswith(f"{slot}-")


def owner(one: Manifest) -> str:
    """Return kind and name of the controller of *one*."""
    found = (each for each in one["metadata"].get("ownerReferences", []) if each.get("controller"))
    return next((f"{each['kind']}/{each['name']}" for each in found), "")
