"""Engine rds: changes of a living claim. A new major version, parameters, extensions, and what may never change."""

import pytest

from groundplane.core.manifest import Manifest
from groundplane.core.observation import Observation
from groundplane.core.refusal import Refusal
from groundplane.lifecycle import protection
from rds_claims import Case, World, environment

OLD = Case({"version": "16", "parameters": {"work_mem": "8192", "max_connections": "100"}})
NEW = Case({"version": "17", "parameters": {"work_mem": "16384", "max_connections": "200"}})


def upgrading(**changes: str) -> World:
    """Return the world just after the version was raised: the new group is there, the instance as *changes* say."""
    there = {"engineVersionActual": "16.10", "parameterGroupName": OLD.instance()["parameterGroupName"]}
    return World.of(NEW, OLD.served().seen(), **{**there, **changes})


def parameters(manifest: Manifest) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in manifest["spec"]["forProvider"]["parameter"]}


def test_a_new_major_brings_its_own_group_in_the_same_change() -> None:
    seen = OLD.served().seen()
    settings = NEW.instance(seen)
    group = NEW.manifest("parameters-17", seen)
    assert settings["engineVersion"] == "17"
    assert settings["allowMajorVersionUpgrade"] is True
    assert settings["parameterGroupName"] == group["metadata"]["annotations"]["crossplane.io/external-name"]
    assert settings["parameterGroupName"] != OLD.instance()["parameterGroupName"]
    assert group["spec"]["forProvider"]["family"] == "postgres17"


def test_the_group_is_named_because_a_resolved_reference_would_not_follow() -> None:
    assert "parameterGroupNameRef" not in NEW.instance()


@pytest.mark.parametrize(("observed", "allowed"), [(None, False), ("17.6", False), ("16.10", True)])
def test_a_major_upgrade_is_allowed_only_while_there_is_one(observed: str | None, allowed: bool) -> None:  # noqa: FBT001  # A table.
    seen = NEW.served(engineVersionActual=observed).seen() if observed else None
    assert NEW.instance(seen)["allowMajorVersionUpgrade"] is allowed


@pytest.mark.parametrize(
    "changes", [{}, {"engineVersionActual": "17.6"}, {"parameterGroupName": NEW.instance()["parameterGroupName"]}]
)
def test_the_old_group_stays_as_it_is_until_the_instance_left_it(changes: dict[str, str]) -> None:
    seen = upgrading(**changes).seen()
    rendered = NEW.render(seen)
    assert "rds-1-parameters-16" in rendered.resources
    assert rendered.retired == frozenset()
    kept = rendered.resources["rds-1-parameters-16"].manifest
    assert parameters(kept) == {"work_mem": "8192", "max_connections": "100", "rds.force_ssl": "1"}
    assert kept["spec"]["forProvider"]["family"] == "postgres16"


def test_the_old_group_goes_once_the_instance_left_it() -> None:
    world = upgrading(engineVersionActual="17.6", parameterGroupName=NEW.instance()["parameterGroupName"])
    rendered = NEW.render(world.seen())
    assert "rds-1-parameters-16" not in rendered.resources
    assert rendered.retired == {"rds-1-parameters-16"}
    protection.retain(rendered.resources, world.seen(), retired=rendered.retired, released=())


def test_an_instance_that_cannot_be_read_keeps_every_group() -> None:
    world = upgrading()
    del world.object("instance")["status"]
    assert "rds-1-parameters-16" in NEW.render(world.seen()).resources


def test_an_upgrade_that_waits_for_the_window_says_so() -> None:
    case = NEW.changed(maintenanceWindow={"day": "Sunday", "startHour": 3})
    verdict = case.render(upgrading().seen()).facts.settled
    assert (verdict.reason, verdict.message) == ("AwaitingWindow", "version is 16, to become 17")
    assert case.instance(upgrading().seen())["applyImmediately"] is False


def test_tls_is_forced_in_every_group() -> None:
    for case in (OLD, NEW, Case()):
        assert parameters(case.manifest(f"parameters-{case.ask().spec.version}"))["rds.force_ssl"] == "1"


@pytest.mark.parametrize("name", ["rds.force_ssl", "ssl", "ssl_ca_file", "archive_command", "wal_level", "port"])
def test_a_parameter_that_rds_manages_is_refused_by_name(name: str) -> None:
    message = Case({"parameters": {name: "0"}}).refused()
    assert message.startswith(f"NotOffered: parameters: {name} cannot be set on Amazon RDS")


def test_a_parameter_read_at_start_waits_for_one_and_every_other_does_not() -> None:
    entries = NEW.manifest("parameters-17")["spec"]["forProvider"]["parameter"]
    methods = {entry["name"]: entry["applyMethod"] for entry in entries}
    assert methods == {
        "max_connections": "pending-reboot",
        "rds.force_ssl": "pending-reboot",
        "work_mem": "immediate",
    }


def test_the_method_of_a_parameter_never_changes_because_rds_would_not_note_it() -> None:
    def methods(**values: str) -> dict[str, str]:
        entries = Case({"parameters": values}).manifest("parameters-17")["spec"]["forProvider"]["parameter"]
        return {entry["name"]: entry["applyMethod"] for entry in entries}

    before, after = methods(work_mem="64", max_connections="1"), methods(work_mem="65", max_connections="2")
    assert before == after


@pytest.mark.parametrize(
    ("changed", "remedy"),
    [
        ({"max_connections": "300"}, "Set max_connections to 200."),
        ({}, "Set max_connections to 200."),
        ({"max_connections": "200", "shared_buffers": "16"}, "Set shared_buffers to absent."),
    ],
)
def test_a_parameter_that_needs_a_restart_cannot_change_alone(changed: dict[str, str], remedy: str) -> None:
    message = NEW.changed(parameters=changed).refused(NEW.served().seen())
    assert message.startswith("NotOffered: parameters: ")
    assert message.endswith(remedy)


def test_a_server_that_cannot_be_read_is_taken_for_started() -> None:
    world = NEW.served()
    del world.object("instance")["status"]
    assert NEW.changed(parameters={}).refused(world.seen()).startswith("NotOffered: parameters: max_connections")


def test_a_parameter_can_change_before_the_server_started() -> None:
    assert NEW.changed(parameters={}).refused(NEW.served().unborn().seen()) == "not refused"


def test_a_parameter_can_change_while_its_version_is_yet_to_come() -> None:
    assert NEW.changed(parameters={}).refused(upgrading().seen()) == "not refused"


def test_a_parameter_that_needs_no_restart_can_change() -> None:
    case = NEW.changed(parameters={"work_mem": "64", "max_connections": "200"})
    assert parameters(case.manifest("parameters-17", NEW.served().seen()))["work_mem"] == "64"


def test_an_extension_left_out_is_refused_until_it_is_given_up_by_name() -> None:
    before = Case({"database": {"extensions": [{"name": "uuid-ossp"}, {"name": "vector"}]}})
    seen = before.served().seen()
    after = before.changed(database={"extensions": [{"name": "vector"}]})
    assert "UnsafeChange: database.extensions: uuid-ossp was removed" in after.refused(seen)
    given_up = after.changed(migration={"retiredEntries": ["extensions/uuid-ossp"]}).render(seen)
    (gone,) = given_up.retired
    assert gone.startswith("rds-1-extension-uuid-ossp-")
    assert "Delete" not in before.render().resources[gone].manifest["spec"]["managementPolicies"]


def test_extensions_whose_names_differ_only_in_signs_are_two_objects() -> None:
    case = Case({"database": {"extensions": [{"name": "uuid-ossp"}, {"name": "uuid_ossp"}]}})
    found = [name for name in case.render().resources if "extension" in name]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("section", "path"),
    [
        ({"aws": {"region": "eu-west-1"}}, "spec.forProvider.region"),
        ({"aws": {"providerConfig": "other"}}, "spec.providerConfigRef.name"),
        ({"aws": {"vpcId": "vpc-2"}}, "spec.forProvider.vpcId"),
        ({"rds": {"dbSubnetGroupName": "other"}}, "spec.forProvider.dbSubnetGroupName"),
    ],
)
def test_an_environment_that_would_make_another_object_is_refused(section: dict[str, Manifest], path: str) -> None:
    case = Case()
    seen = case.served().seen()
    moved = Case(data=environment(**section)).render(seen)
    with pytest.raises(Refusal, match=f"would change its {path} from"):
        protection.retain(moved.resources, seen, retired=moved.retired, released=())


@pytest.mark.parametrize("field", ["identifier", "engine", "storageEncrypted"])
def test_what_makes_an_instance_another_is_refused(field: str) -> None:
    world = Case().served()
    world.object("instance")["spec"]["forProvider"][field] = "other"
    rendered = Case().render(world.seen())
    with pytest.raises(Refusal, match=rf"would change its spec\.forProvider\.{field} from other"):
        protection.retain(rendered.resources, world.seen(), retired=rendered.retired, released=())


def test_an_administrator_keeps_the_name_that_the_instance_was_born_with() -> None:
    world = Case().served()
    world.object("instance")["spec"]["forProvider"]["username"] = "groundplane_admin"
    assert Case().instance(world.seen())["username"] == "groundplane_admin"
    member = Case().manifest("member-admin", world.seen())["spec"]["forProvider"]
    assert member == {"role": "groundplane_admin", "memberOf": "app_owner"}


@pytest.mark.parametrize("field", ["family", "description", "region"])
def test_what_makes_a_parameter_group_another_is_refused(field: str) -> None:
    world = Case().served()
    world.object("parameters-17")["spec"]["forProvider"][field] = "other"
    rendered = Case().render(world.seen())
    with pytest.raises(Refusal, match=rf"would change its spec\.forProvider\.{field} from other"):
        protection.retain(rendered.resources, world.seen(), retired=rendered.retired, released=())


@pytest.mark.parametrize("key", ["arn:aws:kms:eu-central-1:1:key/2", None])
def test_the_key_of_a_living_instance_never_changes(key: str | None) -> None:
    case = Case()
    moved = Case(data=environment(aws={"kmsKeyId": key}))
    assert moved.instance(case.served().seen())["kmsKeyId"] == case.instance()["kmsKeyId"]
    assert moved.instance().get("kmsKeyId") == key


def test_no_answer_leaves_anything_out_that_is_there() -> None:
    for case in (Case(), NEW, OLD):
        seen = case.served().bind().seen()
        rendered = case.render(seen)
        assert rendered.retired == frozenset()
        assert {name for name in seen.composed if name != "binding"} == set(rendered.resources)


def test_names_do_not_depend_on_what_is_observed() -> None:
    def names(seen: Observation | None) -> set[tuple[str, str]]:
        resources = NEW.render(seen).resources
        return {(name, desired.manifest["metadata"]["name"]) for name, desired in resources.items()}

    assert names(None) == names(NEW.served().seen()) == names(NEW.served().unborn().seen())
