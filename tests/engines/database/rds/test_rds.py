"""Engine rds: what it makes of a claim, and every default of the provider that would lose data."""

from itertools import pairwise

import pytest

from groundplane.core.claim import Claim
from groundplane.core.manifest import CLAIM_UID, Kind
from groundplane.core.slot import Slot
from groundplane.engines._aws import EXTERNAL_NAME
from groundplane.engines.database.rds import ENGINE
from rds_claims import EVERYTHING, Case, identity, managed, manifests
from upstream import builtin_registry, upstream_registry

FROM_BACKUP = Case({"restore": {"from": "Backup", "backupID": Case().instance()["finalSnapshotIdentifier"]}})


@pytest.mark.parametrize("case", [Case(), EVERYTHING, FROM_BACKUP, Case({"tier": "Development"})])
def test_every_manifest_is_valid_for_its_crd(case: Case) -> None:
    for manifest in manifests(case):
        registry = builtin_registry() if manifest["kind"] == "Secret" else upstream_registry()
        schema = registry.find(manifest["apiVersion"], manifest["kind"])
        assert schema is not None, manifest["kind"]
        placed = {**manifest, "metadata": {**manifest["metadata"], "namespace": "team-a"}}
        assert schema.validate(schema.default(placed)) == ()


def test_every_composed_kind_is_declared_and_every_declared_kind_is_composed() -> None:
    composed = {(manifest["apiVersion"], manifest["kind"]) for manifest in manifests(EVERYTHING)}
    assert composed == {(kind.api_version, kind.kind) for kind in ENGINE.kinds}


@pytest.mark.parametrize("kind", [kind for kind in ENGINE.kinds if not kind.builtin], ids=lambda kind: kind.crd)
def test_the_plural_of_every_kind_is_that_of_its_crd(kind: Kind) -> None:
    schema = upstream_registry().find(kind.api_version, kind.kind)
    assert schema is not None
    assert (schema.plural, schema.namespaced) == (kind.plural, True)


def test_what_the_provider_leaves_out_by_default_is_stated() -> None:
    settings = Case().instance()
    assert settings["storageEncrypted"] is True
    assert settings["backupRetentionPeriod"] == 7
    assert settings["deleteAutomatedBackups"] is False
    assert settings["copyTagsToSnapshot"] is True
    assert settings["deletionProtection"] is True
    assert settings["publiclyAccessible"] is False
    assert settings["applyImmediately"] is True
    assert settings["skipFinalSnapshot"] is False
    assert settings["identifier"]


def test_no_managed_resource_is_left_to_the_default_provider_config() -> None:
    for manifest in managed(EVERYTHING):
        inside = manifest["apiVersion"].startswith("postgresql.sql.m")
        expected = ("ProviderConfig", "orders-db-1-sql") if inside else ("ClusterProviderConfig", "groundplane")
        reference = manifest["spec"]["providerConfigRef"]
        assert (reference["kind"], reference["name"]) == expected


def test_what_the_cloud_chose_is_never_copied_into_a_spec_where_it_would_stand_in_the_way_of_changes() -> None:
    assert len(managed(EVERYTHING)) == 20
    for manifest in managed(EVERYTHING):
        policies = manifest["spec"]["managementPolicies"]
        assert "*" not in policies
        assert "LateInitialize" not in policies


def test_a_name_that_the_cloud_made_up_is_composed_because_the_provider_does_not_write_it() -> None:
    world = EVERYTHING.served()
    for role, found in world.objects.items():
        if found["kind"] in {"Instance", "SecurityGroup", "SecurityGroupIngressRule"}:
            first = EVERYTHING.render().resources[role].manifest["metadata"]
            assert EXTERNAL_NAME not in first.get("annotations", {}), "it would take over what has that name"
            named = EVERYTHING.render(world.seen()).resources[role].manifest["metadata"]["annotations"][EXTERNAL_NAME]
            assert named == found["status"]["atProvider"]["id"]


def test_everything_in_the_account_tells_the_life_of_the_claim_that_it_was_made_for() -> None:
    tagged = [one["spec"]["forProvider"]["tags"] for one in manifests(EVERYTHING) if ".aws.m." in one["apiVersion"]]
    assert {tags[CLAIM_UID] for tags in tagged} == {EVERYTHING.claim.uid}
    assert len(tagged) == 5


def test_the_administrators_name_has_at_most_the_sixteen_characters_that_rds_documents() -> None:
    assert len(Case().instance()["username"]) <= 16


@pytest.mark.parametrize(("policy", "deleted"), [("Protect", False), ("Delete", True)])
def test_the_instance_goes_with_its_object_only_under_delete(policy: str, deleted: bool) -> None:  # noqa: FBT001  # A table.
    case = Case({"deletionPolicy": policy})
    assert ("Delete" in case.manifest("instance")["spec"]["managementPolicies"]) is deleted
    assert case.instance()["deletionProtection"] is not deleted
    assert case.instance()["skipFinalSnapshot"] is False
    assert case.instance()["deleteAutomatedBackups"] is False


@pytest.mark.parametrize("policy", ["Protect", "Delete"])
def test_no_object_of_provider_sql_may_drop_anything(policy: str) -> None:
    case = EVERYTHING.changed(deletionPolicy=policy)
    found = [manifest for manifest in managed(case) if manifest["apiVersion"].startswith("postgresql.sql.m")]
    assert len(found) == 15
    for manifest in found:
        assert manifest["spec"]["managementPolicies"] == ["Observe", "Create", "Update"]


def test_what_loses_data_is_guarded() -> None:
    resources = Case().render().resources
    assert {name for name, desired in resources.items() if desired.guarded} == {"rds-1-instance", "rds-1-secret-a"}


def test_the_final_snapshot_is_of_one_life_and_of_this_namespace() -> None:
    names = {Case(claim=identity(uid=uid)).instance()["finalSnapshotIdentifier"] for uid in ("uid-1", "uid-2")}
    assert len(names) == 2
    for name in names:
        assert name.startswith(identity().cloud_prefix)
        assert len(name) <= 255
        assert "--" not in name


def test_the_longest_name_makes_an_identifier_that_rds_takes() -> None:
    settings = Case(claim=identity("a" * 40)).instance()
    assert len(settings["identifier"]) <= 63
    assert settings["identifier"][0].isalpha()
    assert "--" not in settings["identifier"]
    assert not settings["identifier"].endswith("-")


def test_two_namespaces_never_meet_in_one_account() -> None:
    def names(namespace: str) -> set[str]:
        case = Case(claim=identity(namespace=namespace))
        group, clients = case.manifest("parameters-17"), case.manifest("clients")
        return {
            case.instance()["identifier"],
            case.instance()["finalSnapshotIdentifier"],
            group["metadata"]["annotations"]["crossplane.io/external-name"],
            clients["spec"]["forProvider"]["name"],
        }

    assert names("team-a") & names("team-b") == set()


def test_only_kinds_named_by_their_annotation_have_one() -> None:
    annotated = {
        manifest["kind"]
        for manifest in manifests(EVERYTHING)
        if "crossplane.io/external-name" in manifest["metadata"].get("annotations", {})
    }
    assert annotated == {"ParameterGroup", "Role", "Database", "Schema"}


def test_one_pair_of_slots_or_names_gives_one_identifier() -> None:
    cases = [
        Case(),
        Case(slot=Slot("rds", 2)),
        Case(claim=identity("orders-2")),
        Case(claim=Claim("XDatabase", "db", "team-a", "orders", "uid-1", 1, "other")),
    ]
    found = sorted(case.instance()["identifier"] for case in cases)
    assert all(before != after for before, after in pairwise(found))
