"""Another Composition for a living claim: nothing is lost, and nothing goes without consent."""

from bareplane.waiting import always, eventually
from controlplane.cluster import Cluster, condition, is_true, orders, refused
from controlplane.resting import uids


def chosen(engine: str) -> str:
    return f'{{"spec":{{"crossplane":{{"compositionRef":{{"name":"xdatabase-{engine}"}}}}}}}}'


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
    settled = team.versions()
    always(lambda: team.versions() == settled, 12)


def test_a_slot_is_retired_by_consent_and_exactly_that_one_goes(cluster: Cluster) -> None:
    team = cluster.team(cluster.both())
    other = {**orders(), "metadata": {"name": "other"}}
    team.apply(orders(deletionPolicy="Delete"), other)
    team.ready()
    team.ready("other")
    kept = uids(team.composed("other"))
    team.run("patch", "xdatabase", "orders", "--type=merge", "-p", chosen("rds"))
    team.wait(lambda it: refused(it, "SwapNotApproved"))
    consent = '{"spec":{"migration":{"retiredSlots":["cnpg-1"]}}}'
    team.run("patch", "xdatabase", "orders", "--type=merge", "-p", consent)
    eventually(lambda: not any(name.startswith("cnpg-1") for name in team.composed()), 60)
    gone = {"Cluster.postgresql.cnpg.io/v1/orders-db-1", "ObjectStore.barmancloud.cnpg.io/v1/orders-db-1"}
    eventually(lambda: not gone & set(team.everything()), 30)
    assert uids(team.composed("other")) == kept
    team.wait(lambda it: it["status"].get("slot") == "rds-2")
