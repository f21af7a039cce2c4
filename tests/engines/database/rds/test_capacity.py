"""Engine rds: how large, how safe, and at which hours; and what an environment must say of it."""

import pytest

from groundplane.core.manifest import Manifest
from groundplane.core.refusal import Refusal
from groundplane.engines.database.rds._instance import DAYS
from rds_claims import EVERYTHING, Case, environment, identity, knobs


def minutes(clock: str) -> int:
    hours, minute = clock.split(":")
    return int(hours) * 60 + int(minute)


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("hour", [0, 12, 23])
def test_the_windows_never_meet_whatever_the_claim(day: str, hour: int) -> None:
    for uid in map(str, range(40)):
        window = {"day": day, "startHour": hour}
        settings = Case({"maintenanceWindow": window}, claim=identity(uid=uid)).instance()
        maintenance = [minutes(part[4:]) for part in settings["maintenanceWindow"].split("-")]
        backup = [minutes(part) for part in settings["backupWindow"].split("-")]
        lengths = [(after - before) % 1440 for before, after in (maintenance, backup)]
        assert lengths == [60, 60]
        assert maintenance[0] == hour * 60
        assert (backup[0] - maintenance[0]) % 1440 >= 60
        assert (maintenance[0] - backup[0]) % 1440 >= 60


def test_the_last_hour_of_saturday_ends_on_sunday() -> None:
    assert EVERYTHING.instance()["maintenanceWindow"] == "sat:23:00-sun:00:00"


def test_backups_are_spread_over_the_day() -> None:
    windows = {Case(claim=identity(uid=str(uid))).instance()["backupWindow"] for uid in range(40)}
    assert len(windows) > 20


def test_with_a_window_changes_wait_and_without_one_they_do_not() -> None:
    assert EVERYTHING.instance()["applyImmediately"] is False
    assert Case().instance()["applyImmediately"] is True


@pytest.mark.parametrize(
    ("tolerance", "given", "count"), [("None", "None", 1), ("Node", "Zone", 2), ("Zone", "Zone", 2)]
)
def test_a_node_is_survived_by_surviving_a_zone(tolerance: str, given: str, count: int) -> None:
    case = Case({"objectives": {"failureTolerance": tolerance}})
    rendered = case.render()
    assert case.instance()["multiAz"] is (count == 2)
    assert (rendered.given.failure_tolerance, rendered.footprint.instances) == (given, count)


def test_backups_are_off_only_where_development_waives_them() -> None:
    waived = environment(waivers=["Backup"])
    assert Case({"tier": "Development"}, data=waived).instance()["backupRetentionPeriod"] == 0
    assert Case(data=waived).instance()["backupRetentionPeriod"] == 7
    assert Case({"tier": "Development"}).instance()["backupRetentionPeriod"] == 1
    assert "kept 1 days" in Case({"tier": "Development"}).render().footprint.backup


@pytest.mark.parametrize(("asked", "gibibytes"), [("5Gi", 20), ("20Gi", 20), ("1Ti", 1024)])
def test_storage_is_whole_gibibytes_and_at_least_twenty(asked: str, gibibytes: int) -> None:
    case = Case({"storage": {"size": asked}})
    assert case.instance()["allocatedStorage"] == gibibytes
    assert case.render().footprint.storage.startswith(f"{gibibytes}Gi")


def test_storage_is_never_asked_to_shrink_after_rds_rounded_it_up() -> None:
    case = Case({"storage": {"size": "50Gi"}})
    assert case.instance(case.served(allocatedStorage=55).seen())["allocatedStorage"] == 55


def test_more_storage_than_rds_has_is_refused() -> None:
    assert "storage.size: 65Ti is not offered by rds (at most 64Ti)" in Case({"storage": {"size": "65Ti"}}).refused()


@pytest.mark.parametrize(
    ("resources", "name"),
    [
        ({"cpu": "500m", "memory": "1Gi"}, "db.t4g.micro"),
        ({"cpu": "3", "memory": "4Gi"}, "db.m7g.xlarge"),
        ({"cpu": "2", "memory": "9Gi"}, "db.r7g.large"),
    ],
)
def test_resources_are_given_by_the_first_class_that_has_them(resources: dict[str, str], name: str) -> None:
    case = Case({"resources": resources})
    assert case.instance()["instanceClass"] == name
    given = case.render().given
    assert given.size is None
    assert (name, int(given.cpu)) in {(entry.name, entry.cpu) for entry in knobs().rds.classes}


@pytest.mark.parametrize(
    ("size", "name"),
    [
        ("XSmall", "db.t4g.micro"),
        ("Small", "db.t4g.small"),
        ("Medium", "db.m7g.large"),
        ("Large", "db.m7g.xlarge"),
        ("XLarge", "db.m7g.2xlarge"),
    ],
)
def test_a_size_is_given_by_the_first_class_above_its_floor(size: str, name: str) -> None:
    assert Case({"size": size}).instance()["instanceClass"] == name


def test_the_platform_may_choose_the_class_of_a_size() -> None:
    data = environment(rds={"instanceClasses": {"Small": "db.r7g.large"}})
    case = Case({"size": "Small"}, data=data)
    assert case.instance()["instanceClass"] == "db.r7g.large"
    assert (case.render().given.size, case.render().given.memory) == ("Small", "16Gi")
    assert Case({"resources": {"cpu": "1", "memory": "2Gi"}}, data=data).instance()["instanceClass"] == "db.t4g.small"


def test_more_than_the_largest_class_is_refused_and_the_largest_named() -> None:
    message = Case({"resources": {"cpu": "65", "memory": "1Gi"}}).refused()
    assert "The largest is db.r7g.16xlarge with 64 CPU and 512Gi" in message


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ({"Small": "db.unknown"}, "instanceClasses.Small: db.unknown is not among classes"),
        ({"Large": "db.t4g.micro"}, "instanceClasses.Large: db.t4g.micro has less than the size's floor"),
        ({"Huge": "db.t4g.micro"}, "instanceClasses.Huge: there is no such size"),
    ],
)
def test_an_environment_cannot_give_less_than_a_size_promises(classes: dict[str, str], words: str) -> None:
    with pytest.raises(Refusal) as refusal:
        knobs(rds={"instanceClasses": classes})
    assert words in refusal.value.message


@pytest.mark.parametrize(
    ("section", "knob"),
    [({"caBundle": None}, "rds.caBundle"), ({"dbSubnetGroupName": None}, "rds.dbSubnetGroupName")],
)
def test_a_knob_that_is_missing_is_named(section: Manifest, knob: str) -> None:
    data = environment()
    data["rds"] = {key: value for key, value in data["rds"].items() if key not in section}
    with pytest.raises(Refusal, match=f"{knob} is missing"):
        Case(data=data).ask()


def test_a_bundle_that_is_no_certificate_is_refused_without_showing_it() -> None:
    with pytest.raises(Refusal, match=r"rds\.caBundle") as refusal:
        knobs(rds={"caBundle": "-----BEGIN PRIVATE KEY-----made-up"})
    assert "made-up" not in refusal.value.message
