"""No answer loses data by leaving something out, by changing what it is, or by taking what is not ours."""

from typing import Any

import pytest

from groundplane.core.claim import Claim
from groundplane.core.observation import Observation, Observed
from groundplane.core.refusal import Reason, Refusal
from groundplane.core.rendered import Desired
from groundplane.core.slot import Slot
from groundplane.lifecycle import protection
from made_up import Manifest

CLAIM = Claim("XDatabase", "db", "team-a", "orders", "uid-1", 1, "prod")
SLOT = Slot("cnpg", 1)
DATA = "cnpg-1-cluster"


def thing(name: str = "orders-db-1", kind: str = "Cluster", *, label: str = "db.orders", **more: Any) -> Manifest:
    labels = {"groundplane.dev/claim": label, **more.pop("labels", {})}
    annotations = {"groundplane.dev/claim-uid": more.pop("uid", "uid-1"), **more.pop("annotations", {})}
    metadata = {"name": name, "labels": labels, "annotations": annotations}
    return {"apiVersion": "example.org/v1", "kind": kind, "metadata": metadata, **more}


def guarded_thing(**more: Any) -> Manifest:
    return thing(labels={"groundplane.dev/guarded": "true"}, **more)


def seeing(status: Manifest | None = None, found: Manifest | None = None, **composed: Manifest) -> Observation:
    return Observation(
        composed={name.replace("_", "-"): Observed.of(one) for name, one in composed.items()},
        required={DATA: [Observed.of(found)] if found else []},
        status=status or {},
    )


def retain(desired: dict[str, Manifest], seen: Observation, **more: Any) -> None:
    protection.retain(
        {name: Desired(one, identity=(("spec", "id"),)) for name, one in desired.items()},
        seen,
        retired=more.get("retired", ()),
        released=more.get("released", ()),
    )


def refused(seen: Observation, desired: dict[str, Manifest] | None = None, **more: Any) -> str:
    with pytest.raises(Refusal) as caught:
        retain(desired or {}, seen, **more)
    assert caught.value.reason is Reason.WOULD_LOSE_DATA
    return caught.value.message


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (seeing(), False),
        (seeing({"engine": "cnpg"}), True),
        (seeing(cnpg_1_cluster=guarded_thing()), True),
        (seeing(cnpg_1_cluster=thing()), True),
        (seeing(notes=thing()), False),
        (seeing(found=thing()), True),
        (seeing(found=thing(label="db.other")), False),
        (seeing(found=thing(uid="earlier")), False),
    ],
)
def test_something_is_at_risk_when_it_is_recorded_observed_or_found_in_this_life(
    seen: Observation, expected: object
) -> None:
    assert protection.at_risk(CLAIM, seen, [DATA]) == expected


def test_guarded_are_the_observed_objects_that_say_so() -> None:
    seen = seeing(cnpg_1_cluster=guarded_thing(), cnpg_1_owner=thing(), cnpg_1_x=thing(label="true"))
    assert list(protection.guarded(seen)) == [DATA]


@pytest.mark.parametrize(
    ("seen", "given_up", "reason"),
    [
        (seeing(), False, None),
        (seeing({"engine": "cnpg"}, cnpg_1_cluster=thing()), False, None),
        (seeing({"engine": "cnpg"}, found=thing()), False, None),
        (seeing({"engine": "cnpg"}), True, None),
        (seeing({"engine": "cnpg"}), False, Reason.WOULD_LOSE_DATA),
        (seeing(found=thing(label="db.other")), False, Reason.NAME_TAKEN),
        (seeing(found=thing(label="db.other")), True, Reason.NAME_TAKEN),
        (seeing(found=thing(uid="earlier")), False, Reason.RETAINED_DATA_EXISTS),
    ],
)
def test_the_anchor_is_where_it_should_be_or_never_was_or_was_given_up(
    seen: Observation, given_up: Any, reason: Reason | None
) -> None:
    if reason is None:
        protection.check_anchor(CLAIM, seen, SLOT, DATA, given_up=given_up)
        return
    with pytest.raises(Refusal) as caught:
        protection.check_anchor(CLAIM, seen, SLOT, DATA, given_up=given_up)
    assert caught.value.reason is reason


def test_a_found_object_without_data_may_be_of_an_earlier_life() -> None:
    protection.check_found(CLAIM, Observed.of(thing(uid="earlier")), guarded=False)
    with pytest.raises(Refusal):
        protection.check_found(CLAIM, Observed.of(thing(uid="earlier")), guarded=True)


def test_everything_desired_as_it_was_is_retained() -> None:
    retain({DATA: thing(spec={"id": "a"})}, seeing(cnpg_1_cluster=thing(spec={"id": "a"})))


def test_an_observed_resource_left_out_is_refused_and_named() -> None:
    message = refused(seeing(cnpg_1_cluster=thing()))
    assert "Cluster orders-db-1 (cnpg-1-cluster)" in message


def test_a_resource_given_up_by_its_engine_may_go_unless_it_is_guarded() -> None:
    retain({}, seeing(cnpg_1_monitor=thing()), retired=["cnpg-1-monitor"])
    refused(seeing(cnpg_1_monitor=thing()), retired=["cnpg-1-other"])
    refused(seeing(cnpg_1_monitor=guarded_thing()), retired=["cnpg-1-monitor"])


def test_a_released_slot_may_go_whole_and_no_other_with_it() -> None:
    both = seeing(cnpg_1_cluster=guarded_thing(), rds_2_instance=guarded_thing())
    assert "rds-2-instance" in refused(both, released=[SLOT])
    retain({"rds-2-instance": guarded_thing()}, both, released=[SLOT])


def test_the_binding_goes_only_with_a_released_slot() -> None:
    retain({}, seeing(binding=thing()), released=[SLOT])
    assert "binding" in refused(seeing(binding=thing()))


def test_resources_of_other_functions_are_left_alone() -> None:
    retain({}, seeing(notes=thing(), another_one=thing()))


@pytest.mark.parametrize(
    ("now", "named"),
    [
        (thing(kind="Table", spec={"id": "a"}), "kind"),
        ({**thing(spec={"id": "a"}), "apiVersion": "other.org/v1"}, "kind"),
        (thing("another", spec={"id": "a"}), "name"),
        (thing(spec={"id": "b"}), "spec.id"),
        (thing(spec={}), "spec.id"),
    ],
)
def test_another_kind_name_or_identity_is_refused_with_what_changed(now: Manifest, named: str) -> None:
    assert f"would change its {named} from" in refused(seeing(cnpg_1_cluster=thing(spec={"id": "a"})), {DATA: now})


def test_another_version_of_the_same_kind_is_the_same_object() -> None:
    now = {**thing(spec={"id": "a"}), "apiVersion": "example.org/v2"}
    retain({DATA: now}, seeing(cnpg_1_cluster=thing(spec={"id": "a"})))
