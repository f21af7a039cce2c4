"""Each validation of the generated policies refuses on one machine what it refuses on a cluster, and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from admission_world import (
    CLAIMED,
    CONFIGS,
    CRD,
    GROUP,
    PEOPLE,
    XDATABASE,
    World,
    claim,
    config,
    namespace,
    refused,
    secret,
    world,
)
from groundplane.generate import companion
from groundplane.generate.companion._policy import _CEL, SETTINGS, Policy, Validation
from groundplane.generate.companion.objects import EXTERNAL_NAME
from groundplane.generate.companion.roles import USERS
from plane_process import settle

Act = Callable[[World], object]
SECRET = ("v1", "Secret")
NAMESPACE = ("v1", "Namespace")
POLICIES: dict[str, Policy] = {one.name: one for several in companion.policies().values() for one in several}
VALIDATIONS = [(one.name, index) for one in POLICIES.values() for index in range(len(one.validations))]


@dataclass(frozen=True)
class Case:
    """One write that a validation refuses, and one much like it that goes through all policies."""

    refused: Act
    allowed: Act


def create(who: str, manifest: dict[str, object]) -> Act:
    return lambda world: world.create(who, manifest)


def patch(  # noqa: PLR0913, PLR0917  # a row of the table
    who: str, kind: tuple[str, str], name: str, change: object, space: str = "team", sub: str = ""
) -> Act:
    return lambda world: world.patch(who, kind, space, name, change, subresource=sub)


def delete(who: str, kind: tuple[str, str], name: str, space: str = "team") -> Act:
    return lambda world: world.delete(who, kind, space, name)


def marks(**annotations: str | None) -> dict[str, object]:
    named = {f"{GROUP}/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {"metadata": {"annotations": named}}


def named(name: str | None) -> dict[str, object]:
    return {"metadata": {"annotations": {EXTERNAL_NAME: name}}}


def labels(**found: str | None) -> dict[str, object]:
    return {"metadata": {"labels": {f"{GROUP}/{key}": value for key, value in found.items()}}}


def chosen(**crossplane: object) -> dict[str, object]:
    return claim(crossplane=crossplane)


OTHER = {"name": "xdatabase-rds"}
CHOICE = {"matchLabels": {"a": "b"}}
DATA = {"data": {"password": "Yg=="}}
UNOWNED = {"metadata": {"ownerReferences": None}}
STATUS = {"status": {"engine": None}}
IN_DEVELOPMENT = claim(tier="Development", deletionPolicy="Delete")
OURS = "xdatabases.groundplane.dev"

CASES: dict[tuple[str, int], Case] = {
    ("environment-label", 0): Case(
        create("developer", claim(namespace="bare", tier="Standard")), create("developer", claim(tier="Standard"))
    ),
    ("environment-label", 1): Case(
        create("developer", claim(namespace="nowhere")), create("developer", claim(namespace="aws"))
    ),
    ("environment-label", 2): Case(
        create("developer", claim(namespace="emptied")), create("developer", claim(namespace="team"))
    ),
    ("environment-label", 3): Case(
        create("developer", chosen(compositionSelector=CHOICE)), create("owner", chosen(compositionSelector=CHOICE))
    ),
    ("environment-label", 4): Case(
        patch("developer", XDATABASE, "kept", labels(environment="aws")),
        patch("developer", XDATABASE, "kept", labels(environment="local", other="x")),
    ),
    ("environment-engine", 0): Case(
        create("developer", chosen(compositionRef=OTHER)), create("owner", chosen(compositionRef=OTHER))
    ),
    ("environment-config", 0): Case(
        create("owner", config("other", engines={"database": "mysql"})),
        create("owner", config("other", engines={"database": "cnpg"})),
    ),
    ("environment-config", 1): Case(
        patch("owner", CONFIGS, SETTINGS, {"data": {"users": {"crossplane": []}}}),
        patch("owner", CONFIGS, SETTINGS, {"data": {"users": {"crossplane": USERS["crossplane"]}}}),
    ),
    ("claim-deletion", 0): Case(delete("owner", XDATABASE, "kept"), delete("owner", XDATABASE, "dataless")),
    ("claim-deletion", 1): Case(delete("owner", XDATABASE, "changing"), delete("owner", XDATABASE, "leaving")),
    ("claim-override", 0): Case(
        patch("developer", XDATABASE, "kept", marks(delete_anyway="kept")),
        patch("owner", XDATABASE, "kept", marks(delete_anyway="kept")),
    ),
    ("claim-status", 0): Case(
        patch("developer", XDATABASE, "kept", STATUS, sub="status"),
        patch("crossplane", XDATABASE, "kept", STATUS, sub="status"),
    ),
    ("guarded", 0): Case(delete("collector", SECRET, "held"), delete("collector", SECRET, "let-go")),
    ("identity", 0): Case(
        create("owner", secret("fake", labels=CLAIMED)), create("crossplane", secret("fake", labels=CLAIMED))
    ),
    ("identity", 1): Case(
        patch("crossplane", SECRET, "strange", labels(claim="db.kept")),
        patch("crossplane", SECRET, "held", labels(claim="db.kept", other="x")),
    ),
    ("identity", 2): Case(
        patch("owner", SECRET, "held", labels(claim="db.other")), patch("owner", SECRET, "held", labels(other="x"))
    ),
    ("identity", 3): Case(patch("owner", SECRET, "held", UNOWNED), patch("collector", SECRET, "held", UNOWNED)),
    ("identity", 4): Case(
        patch("owner", SECRET, "held", marks(deletion_policy="Delete")),
        patch("crossplane", SECRET, "held", marks(deletion_policy="Delete")),
    ),
    ("identity", 5): Case(
        patch("developer", SECRET, "held", marks(delete_anyway="held")),
        patch("owner", SECRET, "held", marks(delete_anyway="held")),
    ),
    ("identity", 6): Case(
        patch("developer", SECRET, "held", marks(takeover_from="uid-1")),
        patch("owner", SECRET, "held", marks(takeover_from="uid-1")),
    ),
    ("identity", 7): Case(
        patch("owner", SECRET, "held", named("db-DEF")), patch("owner", SECRET, "let-go", named("db-ABC"))
    ),
    ("binding", 0): Case(patch("owner", SECRET, "binding", DATA), patch("crossplane", SECRET, "binding", DATA)),
    ("namespace", 0): Case(delete("owner", NAMESPACE, "team", ""), delete("owner", NAMESPACE, "given-up", "")),
    ("namespace", 1): Case(
        patch("owner", NAMESPACE, "team", labels(environment=None), ""),
        patch("owner", NAMESPACE, "given-up", labels(environment=None), ""),
    ),
    ("definitions", 0): Case(
        delete("owner", CRD, OURS, ""), delete("owner", CRD, "processes.local.groundplane.dev.example", "")
    ),
}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("plane") / "data") as made:
        made.create("nobody asks", other_kind(), keep=True)
        yield made


def other_kind() -> dict[str, object]:
    """Return a kind that no engine composes."""
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    names = {"kind": "Process", "plural": "processes"}
    spec = {"group": "local.groundplane.dev.example", "names": names, "scope": "Namespaced", "versions": [version]}
    metadata = {"name": "processes.local.groundplane.dev.example"}
    return {"apiVersion": CRD[0], "kind": CRD[1], "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("found", VALIDATIONS, ids=lambda found: f"{found[0]}-{found[1]}")
def test_a_validation_refuses_what_it_is_about_in_its_own_words_and_lets_go_what_is_right(
    plane: World, found: tuple[str, int]
) -> None:
    assert found in CASES, "a new validation needs a write that it refuses, and one that it allows"
    name, index = found
    case, validation = CASES[found], POLICIES[name].validations[index]
    error = refused(lambda: case.refused(plane))
    denied = f"ValidatingAdmissionPolicy 'groundplane-{name}' with binding 'groundplane-{name}' denied request: "
    _, found_denied, said = str(error).partition(denied)
    assert found_denied, str(error)
    assert fixed(validation) == [part for part in fixed(validation) if part in said]
    assert (error.code, error.reason) == (403, "Forbidden")
    assert (error.details or {})["causes"] == [{"message": denied + said}]
    case.allowed(plane)


def fixed(validation: Validation) -> list[str]:
    """Return the parts of a message that are the same for everybody."""
    return [part for part in _CEL.split(validation.message)[::2] if part]


def test_there_is_no_case_for_a_validation_that_is_no_more() -> None:
    assert set(CASES) == set(VALIDATIONS)


@pytest.mark.parametrize("found", VALIDATIONS, ids=lambda found: f"{found[0]}-{found[1]}")
def test_it_is_the_policy_that_refuses(plane: World, found: tuple[str, int]) -> None:
    """Past all policies the same write goes through: nothing else on the plane minds it."""
    case = CASES[found]
    with pytest.MonkeyPatch.context() as patched:
        for who in PEOPLE:
            patched.setitem(PEOPLE, who, None)
        case.refused(plane)


def test_the_name_of_a_namespace_that_goes_is_told(plane: World) -> None:
    error = refused(lambda: plane.delete("owner", NAMESPACE, "", "team"))
    assert str(error).startswith('namespaces "team" is forbidden: ')
    assert "kubectl annotate namespace team groundplane.dev/delete-consent=team" in str(error)


def test_a_new_namespace_that_somebody_labels_is_left_as_it_is(plane: World) -> None:
    made = plane.create("owner", namespace("other", "aws")).manifest
    assert made["metadata"]["labels"][f"{GROUP}/environment"] == "aws"


@pytest.mark.parametrize("name", ["crossplane-system", "kube-anything"])
def test_a_namespace_of_the_system_belongs_to_no_environment(plane: World, name: str) -> None:
    if name == "crossplane-system":
        plane.delete("nobody asks", NAMESPACE, "", name, keep=True)
        settle(plane.api)
    made = plane.create("owner", namespace(name)).manifest
    assert f"{GROUP}/environment" not in made["metadata"]["labels"]


@pytest.mark.parametrize("named", ["name", "generateName"])
def test_any_other_new_namespace_belongs_to_that_of_the_machine(plane: World, named: str) -> None:
    made = plane.create("owner", {**namespace(""), "metadata": {named: "other"}}).manifest
    assert made["metadata"]["labels"][f"{GROUP}/environment"] == "local"


def test_nobody_reads_the_entries_of_a_binding_in_its_refusal(plane: World) -> None:
    error = refused(lambda: CASES["binding", 0].refused(plane))
    assert "Yg==" not in str(error)


@pytest.mark.parametrize("who", ["owner", "developer", "collector"])
def test_a_name_by_which_a_provider_finds_what_it_made_is_not_taken_off(plane: World, who: str) -> None:
    case = Case(patch(who, SECRET, "held", named(None)), patch("crossplane", SECRET, "held", named(None)))
    assert "by which the provider finds what it made" in str(refused(lambda: case.refused(plane)))
    case.allowed(plane)
