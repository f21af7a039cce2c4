"""Names, owners, deletions, leaks and conditions are Crossplane's."""

import json
from typing import Any

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from groundplane.crossplane.naming import child_name, uid_of
from groundplane.render import BadInputError, Outcome, ReconcileError, reconcile
from rendering import Manifest, add, claim, composition, one_cluster, refuse

UID = "75e4a668-035f-4ce8-8c45-f4d3ac850155"


def run(answer: Any, *observed: Manifest, the: Manifest | None = None, **more: Any) -> Outcome:
    return reconcile(the or claim(), composition(), observed, function=answer, **more)


def desires(*names: str, **more: Any) -> Any:
    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        del request
        response = fnv1.RunFunctionResponse()
        for name in names:
            add(response, name, **more)
        return response

    return answer


def composed(name: str, /, owner: str = "", **metadata: Any) -> Manifest:
    """Return an object that the claim composed, or that *owner* controls."""
    uid = owner or uid_of({**claim(), "metadata": {"name": "orders", "namespace": "default"}})
    reference = {"controller": True, "uid": uid, "kind": "XDatabase", "name": "orders"}
    return {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Cluster",
        "metadata": {
            "name": f"live-{name}",
            "annotations": {"crossplane.io/composition-resource-name": name},
            "ownerReferences": [reference],
            **metadata,
        },
    }


def test_a_generated_name_is_the_one_crossplane_gives() -> None:
    assert child_name("orders", UID, "database") == "orders-38ce86992a27"
    assert child_name("orders-", UID, "database") == "orders-38ce86992a27"
    assert child_name("", UID, "database") == "38ce86992a27"


@pytest.mark.parametrize("prefix", ["a" * 60, "a" * 51, "a" * 50 + "-" + "b" * 9])
def test_a_long_prefix_is_cut_to_63_characters_in_all(prefix: str) -> None:
    assert child_name(prefix, UID, "database") == "a" * 50 + "-38ce86992a27"


def test_a_made_up_uid_depends_on_kind_namespace_and_name_only() -> None:
    the = {**claim(), "metadata": {"name": "orders", "namespace": "default"}}
    assert uid_of(the) == "9bf0385c-0ba2-5e63-bc08-0511b897239f"
    assert uid_of({**the, "spec": {}}) == uid_of(the)
    assert uid_of({**the, "metadata": {"name": "orders", "namespace": "other"}}) != uid_of(the)
    assert uid_of({**the, "metadata": {"name": "orders", "uid": UID}}) == UID


def test_what_is_composed_carries_names_owner_and_namespace() -> None:
    outcome = run(desires("cnpg-1-cluster"), the={**claim(), "metadata": {"name": "a", "uid": UID}})
    metadata = outcome.resources["cnpg-1-cluster"]["metadata"]
    assert metadata == {
        "name": child_name("a-", UID, "cnpg-1-cluster"),
        "generateName": "a-",
        "namespace": "default",
        "labels": {"crossplane.io/composite": "a"},
        "annotations": {"crossplane.io/composition-resource-name": "cnpg-1-cluster"},
        "ownerReferences": [
            {
                "apiVersion": "groundplane.dev/v1alpha1",
                "kind": "XDatabase",
                "name": "a",
                "uid": UID,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }


def test_the_claim_among_the_owners_becomes_the_controller_where_it_stands() -> None:
    owners = [{"uid": UID, "kind": "XDatabase"}, {"uid": "other", "kind": "ConfigMap"}]
    the = {**claim(), "metadata": {"name": "a", "uid": UID}}
    outcome = run(desires("db", metadata={"ownerReferences": owners}), the=the)
    found = outcome.resources["db"]["metadata"]["ownerReferences"]
    assert [(one["uid"], one.get("controller")) for one in found] == [(UID, True), ("other", None)]


def test_labels_of_crossplanes_first_claims_are_handed_on_when_both_are_there() -> None:
    labels = {"crossplane.io/claim-name": "a", "crossplane.io/claim-namespace": "b"}
    the = {**claim(), "metadata": {"name": "orders", "labels": labels}}
    worn = run(desires("db"), the=the).resources["db"]["metadata"]["labels"]
    assert worn == {**labels, "crossplane.io/composite": "orders"}
    del labels["crossplane.io/claim-namespace"]
    assert run(desires("db"), the=the).resources["db"]["metadata"]["labels"] == {"crossplane.io/composite": "orders"}


def test_an_explicit_name_is_kept() -> None:
    outcome = run(desires("cnpg-1-cluster", object_name="orders-db-1"))
    metadata = outcome.resources["cnpg-1-cluster"]["metadata"]
    assert metadata["name"] == "orders-db-1"
    assert "generateName" not in metadata


def test_what_exists_keeps_its_name_whatever_is_desired() -> None:
    outcome = run(desires("db", object_name="new-name"), composed("db"))
    assert outcome.resources["db"]["metadata"]["name"] == "live-db"


def test_the_claim_says_what_it_is_bound_to_and_what_it_composes() -> None:
    spec = run(one_cluster).xr["spec"]
    assert spec["version"] == "17"
    assert spec["crossplane"]["compositionRef"] == {"name": "xdatabase-cnpg"}
    assert [one["kind"] for one in spec["crossplane"]["resourceRefs"]] == ["Cluster", "Secret"]


def test_one_turns_resources_are_the_next_turns_observation() -> None:
    first = run(one_cluster)
    seen = []

    def second(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        seen.append(sorted(request.observed.resources))
        return one_cluster(request)

    outcome = run(second, *first.resources.values(), the=first.xr)
    assert seen == [["binding", "cnpg-1-cluster"]]
    assert outcome.resources == first.resources
    assert outcome.xr == first.xr
    assert outcome.deleted == outcome.leaked == ()


def test_without_any_observation_what_the_claim_refers_to_is_looked_for_among_the_rest() -> None:
    references = [{"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "name": "live-old"}]
    the = claim(crossplane={"resourceRefs": references})
    stranger = composed("stranger")
    outcome = run(desires("new"), the=the, required=[composed("old"), stranger])
    assert [str(gone) for gone in outcome.deleted] == ["Cluster live-old (old)"]
    outcome = run(desires("new"), stranger, the=the, required=[composed("old")])
    assert [str(gone) for gone in outcome.deleted] == ["Cluster live-stranger (stranger)"]


def test_references_to_what_is_gone_stay_until_something_is_applied() -> None:
    references = [{"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "name": "gone"}]
    the = claim(crossplane={"resourceRefs": references})
    assert run(refuse("No.", fatal=True), the=the).xr["spec"]["crossplane"]["resourceRefs"] == references
    assert run(desires(), the=the).xr["spec"]["crossplane"]["resourceRefs"] == []


def test_what_is_observed_and_not_desired_would_be_deleted() -> None:
    outcome = run(desires("new"), composed("new"), composed("old"))
    assert [str(gone) for gone in outcome.deleted] == ["Cluster live-old (old)"]
    assert outcome.leaked == outcome.forgotten == ()


def test_another_kind_under_the_same_name_leaks_the_old_object() -> None:
    outcome = run(desires("db", kind="Instance"), composed("db"))
    assert [str(gone) for gone in outcome.leaked] == ["Cluster live-db (db)"]
    assert outcome.deleted == ()


def test_another_version_of_the_same_kind_is_no_leak() -> None:
    assert run(desires("db", api_version="postgresql.cnpg.io/v2"), composed("db")).leaked == ()


def test_what_nobody_controls_is_observed_but_never_deleted() -> None:
    outcome = run(desires("new"), composed("old", ownerReferences=[]))
    assert outcome.deleted == ()
    assert [gone.resource_name for gone in outcome.forgotten] == ["old"]


def test_what_an_earlier_claim_of_this_name_controls_is_left_out_and_said_so() -> None:
    outcome = run(desires("db"), composed("db", owner=UID), composed("x", owner=UID))
    assert outcome.deleted == ()
    assert outcome.resources["db"]["metadata"]["name"] != "live-db"
    (note,) = outcome.notes
    assert note.startswith("observed Cluster live-db and 1 more left out: a claim of this name")


def test_what_something_of_another_name_controls_is_passed_over() -> None:
    reference = {"controller": True, "uid": UID, "kind": "Instance", "name": "orders"}
    outcome = run(desires("db"), composed("db", ownerReferences=[reference], annotations={}))
    assert outcome.notes == ()
    assert outcome.resources["db"]["metadata"]["name"] != "live-db"


def test_what_is_in_another_namespace_is_left_out() -> None:
    outcome = run(desires("new"), composed("old", namespace="other"))
    assert outcome.deleted == ()
    assert "it is in namespace other" in outcome.notes[0]


def test_an_observed_object_without_its_name_in_the_claim_is_refused() -> None:
    with pytest.raises(BadInputError, match=r"observed Cluster live-db: metadata\.annotations"):
        run(desires("db"), composed("db", annotations={}))


def test_two_observed_objects_of_one_name_are_refused() -> None:
    with pytest.raises(BadInputError, match="Cluster b and Cluster live-db are both 'db'"):
        run(desires("db"), composed("db"), composed("db", name="b"))


def test_connection_details_come_from_the_secret_an_object_names() -> None:
    seen: dict[str, bytes] = {}

    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        seen.update(request.observed.resources["db"].connection_details)
        return fnv1.RunFunctionResponse()

    live = {**composed("db"), "spec": {"writeConnectionSecretToRef": {"name": "creds"}}}
    metadata = {"name": "creds", "namespace": "default"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"a": "YQ=="}}
    run(answer, live, required=[secret])
    assert seen == {"a": b"a"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"kind": ""}, "'db' has no apiVersion or no kind"),
        ({"object_name": "Not_A_Name"}, "'db' has the invalid name 'Not_A_Name'"),
        ({"metadata": {"ownerReferences": [{"controller": True, "uid": "x"}]}}, "controls it"),
    ],
)
def test_a_resource_crossplane_would_not_take_fails_the_whole_claim(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ReconcileError, match=message):
        run(desires("db", **more))


def test_composing_a_kind_that_is_not_installed_fails_the_whole_claim() -> None:
    with pytest.raises(ReconcileError, match=r"'db' is a Cluster .* not installed"):
        run(desires("db"), absent=["postgresql.cnpg.io"])


def test_another_namespace_is_overridden_with_a_note() -> None:
    outcome = run(desires("db", metadata={"namespace": "other"}))
    assert outcome.resources["db"]["metadata"]["namespace"] == "default"
    assert outcome.notes == (
        'cannot create composed resource "db" in namespace "other", using XR namespace "default" instead',
    )


def test_numbers_stay_whole_through_the_protocol() -> None:
    spec = {"instances": 3, "list": [1, True], "none": None, "ratio": 0.5}
    found = run(desires("db", spec=spec)).resources["db"]["spec"]
    assert json.dumps(found, sort_keys=True) == json.dumps(spec)


def test_what_nobody_controls_and_another_claim_composed_is_left_out() -> None:
    labels = {"crossplane.io/composite": "other"}
    outcome = run(desires("new"), composed("old", ownerReferences=[], labels=labels))
    assert outcome.forgotten == ()
    assert outcome.notes == ()
