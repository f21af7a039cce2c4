"""Engine rds: an instance class that the region has, for as long as the claim asks the same."""

import json
from typing import Any

import pytest

import classes as generator
from groundplane.engines.database.rds import _classes
from groundplane.engines.database.rds._settings import CLASSES
from rds_claims import Case, World, environment

NAMES = {entry.name for entry in CLASSES}


def case(region: str, *, rds: dict[str, Any] | None = None, **spec: Any) -> Case:
    return Case(spec, data=environment(aws={"region": region}, rds=rds or {}))


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what changes the classes that the example's region is known not to have."""

    def change(*names: str) -> None:
        monkeypatch.setattr(_classes, "absent", lambda region: frozenset(names) if region == "eu-central-1" else None)

    return change


@pytest.mark.parametrize(
    ("region", "size", "name"),
    [
        ("eu-central-1", "Medium", "db.m7g.large"),
        ("eu-south-1", "Medium", "db.r7g.large"),
        ("us-gov-west-1", "Large", "db.r7g.xlarge"),
        ("af-south-1", "Small", "db.t4g.small"),
        ("ca-west-1", "Small", "db.r7g.large"),
        ("xx-new-1", "Medium", "db.m7g.large"),  # not known, so not checked
        ("eusc-de-east-1", "Medium", "db.m7g.large"),
    ],
)
def test_a_size_is_given_by_the_first_class_that_the_region_has(region: str, size: str, name: str) -> None:
    made = case(region, size=size)
    assert made.instance()["instanceClass"] == name
    assert made.render().footprint.size == name
    there = next(entry for entry in CLASSES if entry.name == name)
    assert made.render().given.memory == there.memory


def test_a_region_without_any_is_named_with_the_class_before_anything_is_made() -> None:
    assert case("af-south-1", size="Medium").refused() == (
        "NotOffered: size: 2 CPU and 8Gi memory are in region af-south-1 in none of the instance classes that"
        " environment aws chooses from, of which db.m7g.large would be the first. Ask for another size, or ask"
        " the platform team to list classes of the region in rds.classes."
    )
    assert (
        case("af-south-1", resources={"cpu": "3", "memory": "9Gi"}).refused().startswith("NotOffered: resources: 3 CPU")
    )


def test_what_the_platform_lists_itself_is_taken_as_it_is() -> None:
    listed = {"classes": [{"name": "db.m7g.large", "cpu": 2, "memory": "8Gi"}]}
    assert case("af-south-1", size="Medium", rds=listed).instance()["instanceClass"] == "db.m7g.large"
    named = {"instanceClasses": {"Medium": "db.r7g.large"}}
    assert case("af-south-1", size="Medium", rds=named).instance()["instanceClass"] == "db.r7g.large"


def test_an_instance_keeps_its_class_when_more_becomes_known_of_its_region(lacking: Any) -> None:
    claim = Case({"size": "Medium"})
    lacking("db.m7g.large")
    world = claim.served()
    assert world.object("instance")["spec"]["forProvider"]["instanceClass"] == "db.r7g.large"
    lacking()  # AWS has the smaller one by now
    assert claim.instance(world.seen())["instanceClass"] == "db.r7g.large"
    assert claim.render(world.seen()).given.memory == "16Gi"
    lacking("db.m7g.large", "db.r7g.large")  # and this one no more
    assert claim.instance(world.seen())["instanceClass"] == "db.r7g.large"


def test_an_instance_changes_its_class_when_the_claim_asks_for_another_size(lacking: Any) -> None:
    claim = Case({"size": "Large"})
    lacking()
    smaller = claim.changed(size="Medium")
    seen = claim.served().seen()
    assert smaller.instance(seen)["instanceClass"] == "db.m7g.large"
    lacking("db.m7g.large")
    assert smaller.instance(seen)["instanceClass"] == "db.r7g.large"


def test_an_instance_of_an_earlier_release_keeps_the_class_that_it_took(lacking: Any) -> None:
    lacking()
    world = Case({"size": "Medium"}).served()
    del world.object("instance")["metadata"]["annotations"][_classes.COMPUTE]
    lacking("db.m7g.large")
    assert Case({"size": "Medium"}).instance(world.seen())["instanceClass"] == "db.m7g.large"
    assert Case({"size": "Large"}).instance(world.seen())["instanceClass"] == "db.m7g.xlarge"


def test_the_lists_hold_default_classes_and_nothing_else() -> None:
    data = json.loads(_classes.FILE.read_text(encoding="utf-8"))
    assert len(data["absent"]) == 38
    assert all(set(names) <= NAMES for names in data["absent"].values())
    assert data["date"] >= "2026-10-20"


def test_a_class_is_there_when_some_list_for_postgresql_has_it() -> None:
    def rule(engine: Any, *names: str) -> dict[str, Any]:
        then = {"properties": {"DBInstanceClass": {"enum": [*names]}}}
        return {"if": {"properties": {"DBInstanceClass": {"type": "string"}, **engine}}, "then": then}

    told = {
        "allOf": [
            rule({"Engine": {"const": "postgres"}}, "a", "b"),
            rule({"Engine": {"const": "mysql"}}, "c"),
            rule({}),
        ]
    }
    assert generator.ordered(told) == {"a", "b"}


def test_the_world_of_a_served_claim_is_the_one_that_is_rendered() -> None:
    world: World = Case({"size": "Medium"}).served()
    assert world.object("instance")["metadata"]["annotations"][_classes.COMPUTE] == "2/8Gi"
