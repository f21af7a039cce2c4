"""The identity policies: whose an object is, Crossplane alone says, and it takes over nothing that is not its own."""

import json

import pytest

from bareplane.kubectl import Kubectl
from controlplane.cluster import Team
from controlplane.people import DEVELOPER, collector, crossplane_of, developer, held, operator, refusal, secret

CLUSTER = ("cluster.postgresql.cnpg.io", "orders-db-1")
UNOWNED = '{"metadata":{"ownerReferences":null}}'


def composed(team: Team) -> None:
    crossplane_of(team.kubectl)("create", "-f", "-", stdin=[held(team)])


def at(team: Team, verb: str, *words: str) -> tuple[str, ...]:
    """Return the words that do something to the composed object."""
    return (verb, *CLUSTER, "-n", team.namespace, *words)


def patched(team: Team, patch: str) -> tuple[str, ...]:
    return at(team, "patch", "--type=merge", "-p", patch)


def outsiders(kubectl: Kubectl) -> list[Kubectl]:
    """Return kubectl as everybody who can write composed objects and is not Crossplane."""
    return [kubectl, operator(kubectl)]


def test_nobody_but_crossplane_makes_an_object_part_of_a_claim(team: Team) -> None:
    for who in outsiders(team.kubectl):
        policy, said = refusal(who, "create", "-f", "-", stdin=[held(team)])
        assert policy == "identity"
        assert "groundplane.dev/claim says what belongs to a claim, and Crossplane alone sets it" in said
    fake = secret(team, "fake", claim="db.orders")
    assert refusal(developer(team), "create", "-f", "-", stdin=[fake])[0] == "identity"


def test_nobody_changes_what_an_object_belongs_to(team: Team) -> None:
    composed(team)
    for who in outsiders(team.kubectl):
        for word in ("groundplane.dev/claim-", "groundplane.dev/claim=db.others"):
            policy, said = refusal(who, *at(team, "label", "--overwrite", word))
            assert policy == "identity"
            assert "groundplane.dev/claim of Cluster orders-db-1 (db.orders) stays as it is" in said


def test_nobody_but_crossplane_and_the_collector_changes_the_controller(team: Team) -> None:
    composed(team)
    for who in outsiders(team.kubectl):
        policy, said = refusal(who, *patched(team, UNOWNED))
        assert policy == "identity"
        assert "the controller of Cluster orders-db-1 is its claim" in said
    for allowed in (crossplane_of(team.kubectl), collector(team.kubectl)):
        allowed(*patched(team, UNOWNED), "--dry-run=server")


MARKS = (
    *("deletion-policy=Delete", "retire-consent=cnpg-1", "claim-uid=another", "slot=cnpg-2", "retention-days=1"),
    "data-uid=another",
)


@pytest.mark.parametrize("mark", MARKS)
def test_nobody_but_crossplane_writes_what_permits_a_deletion(team: Team, mark: str) -> None:
    composed(team)
    for who in outsiders(team.kubectl):
        policy, said = refusal(who, *at(team, "annotate", "--overwrite", f"groundplane.dev/{mark}"))
        assert policy == "identity"
        assert "decide what may be deleted, and Crossplane alone writes them" in said
    crossplane_of(team.kubectl)(*at(team, "annotate", "--overwrite", f"groundplane.dev/{mark}"))


def test_giving_data_to_a_new_claim_needs_the_verb_override(team: Team) -> None:
    composed(team)
    consent = at(team, "annotate", "groundplane.dev/takeover-from=an-earlier-uid")
    policy, said = refusal(operator(team.kubectl), *consent)
    assert policy == "identity"
    assert "needs verb override on claims.groundplane.dev" in said
    team.kubectl(*consent)
    operator(team.kubectl)(*at(team, "annotate", "cnpg.io/reconcile=now"))


def test_nor_takes_off_the_guard_nor_the_name_that_crossplane_knows(team: Team) -> None:
    composed(team)
    assert refusal(team.kubectl, *at(team, "label", "groundplane.dev/guarded-"))[0] == "identity"
    assert refusal(team.kubectl, *at(team, "annotate", "crossplane.io/composition-resource-name-"))[0] == "identity"


def test_a_name_by_which_a_provider_finds_what_it_made_is_written_once_and_changed_by_crossplane_alone(
    team: Team,
) -> None:
    composed(team)
    name = "crossplane.io/external-name"
    operator(team.kubectl)(*at(team, "annotate", f"{name}=db-ABC"))
    for who in outsiders(team.kubectl):
        for words in (f"{name}=db-DEF", f"{name}-"):
            policy, said = refusal(who, *at(team, "annotate", "--overwrite", words))
            assert policy == "identity"
            assert "by which the provider finds what it made" in said
    crossplane_of(team.kubectl)(*at(team, "annotate", "--overwrite", f"{name}=db-DEF"), "--dry-run=server")


def test_an_operator_edits_what_we_compose(team: Team) -> None:
    composed(team)
    who = operator(team.kubectl)
    who(*patched(team, '{"metadata":{"finalizers":["cnpg.io/example"]}}'))
    who(*patched(team, '{"metadata":{"finalizers":null},"spec":{"instances":2}}'))
    who(*at(team, "annotate", "cnpg.io/reconcile=now"))
    who(*at(team, "label", "cnpg.io/example=yes"))
    (ours,) = team.get(*CLUSTER)["metadata"]["ownerReferences"]
    owners = [ours, {**ours, "controller": False, "uid": "00000000-0000-0000-0000-000000000000"}]
    who(*patched(team, json.dumps({"metadata": {"ownerReferences": owners}})), "--dry-run=server")


def test_crossplane_takes_over_nothing_that_exists(team: Team) -> None:
    who = crossplane_of(team.kubectl)
    team.apply(secret(team, "orders-db-binding", "servicebinding.io/postgresql"))
    adopted = secret(team, "orders-db-binding", "servicebinding.io/postgresql", claim="db.orders")
    words = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    policy, said = refusal(who, *words, stdin=[adopted])
    assert policy == "identity"
    assert "Secret orders-db-binding" in said
    assert "exists and does not belong to claim db.orders, which needs the name" in said
    composed(team)
    assert refusal(who, *at(team, "label", "--overwrite", "groundplane.dev/claim=db.others"))[0] == "identity"


def test_the_entries_of_a_binding_are_written_by_crossplane_alone(team: Team) -> None:
    who = crossplane_of(team.kubectl)
    bound = secret(team, "orders-db-binding", "servicebinding.io/postgresql", claim="db.orders")
    who("create", "-f", "-", stdin=[bound])
    name, patch = ("secret", "orders-db-binding", "-n", team.namespace), '{"stringData":{"password":"another"}}'
    policy, said = refusal(developer(team), "patch", *name, "--type=merge", "-p", patch)
    assert policy == "binding"
    assert "Crossplane alone writes its entries" in said
    assert "another" not in said
    team.kubectl.as_(DEVELOPER)("annotate", *name, "reloader.stakater.com/match=true")
    who("patch", *name, "--type=merge", "-p", patch)


def test_a_secret_that_is_no_binding_may_be_changed(team: Team) -> None:
    login = secret(team, "orders-db-1-login-a", claim="db.orders")
    crossplane_of(team.kubectl)("create", "-f", "-", stdin=[login])
    name, patch = ("secret", "orders-db-1-login-a", "-n", team.namespace), '{"stringData":{"password":"another"}}'
    developer(team)("patch", *name, "--type=merge", "-p", patch)
