"""Each thing that can be wrong with a cluster is found, and nothing else is said of it."""

from collections.abc import Callable

import pytest

from doctor_world import FUNCTION, POLICY, World, condition, environment, examined, namespace
from groundplane.doctor.examination import examine
from groundplane.doctor.finding import State

PROBLEM, WARNING, UNKNOWN, OK = State.PROBLEM, State.WARNING, State.UNKNOWN, State.OK


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return examined(monkeypatch)


Change = Callable[[World], object]


def _no_function(world: World) -> None:
    world.drop("Function", FUNCTION)
    world.drop("FunctionRevision", f"{FUNCTION}-1")


def _established(world: World, *conditions: object) -> None:
    world.find("CompositeResourceDefinition", "xdatabases.groundplane.dev")["status"] = {"conditions": [*conditions]}


def _binding_warns(world: World) -> None:
    world.find("ValidatingAdmissionPolicyBinding", POLICY)["spec"]["validationActions"] = ["Warn"]


def _image_of_crossplane(world: World, image: str) -> None:
    world.find("Deployment", "crossplane")["spec"]["template"]["spec"]["containers"][0]["image"] = image


def _input_of(world: World, engine: str) -> None:
    world.find("Composition", "xdatabase-rds")["spec"]["pipeline"][0]["input"]["engine"] = engine


def _grants(world: World, **data: object) -> None:
    world.find("EnvironmentConfig", "groundplane-grants")["data"].update(data)


CASES: dict[str, tuple[Change, str, str, State, str]] = {
    "the Function is not installed": (
        _no_function,
        "package",
        f"Function {FUNCTION}",
        PROBLEM,
        "no claim of xdatabase-cnpg, xdatabase-local, xdatabase-rds is reconciled",
    ),
    "an XRD is not installed": (
        lambda world: world.drop("CompositeResourceDefinition", "xdatabases.groundplane.dev"),
        "xrd",
        "xdatabases.groundplane.dev",
        PROBLEM,
        "no such claim can be written",
    ),
    "an XRD that Crossplane may not handle": (
        _established,
        "xrd",
        "xdatabases.groundplane.dev",
        PROBLEM,
        "it has no condition",
    ),
    "an XRD that is not established": (
        lambda world: _established(world, condition("Established", "False", "Wrong", "a rule does not compile")),
        "xrd",
        "xdatabases.groundplane.dev",
        PROBLEM,
        "not Established: a rule does not compile",
    ),
    "a Composition is missing": (
        lambda world: world.drop("Composition", "xdatabase-rds"),
        "composition",
        "xdatabase-rds",
        PROBLEM,
        "no claim can be served by Amazon RDS",
    ),
    "a Composition asks for another engine": (
        lambda world: _input_of(world, "cnpg"),
        "composition",
        "xdatabase-rds",
        PROBLEM,
        "its input names cnpg, not rds",
    ),
    "no grants": (
        lambda world: world.drop("EnvironmentConfig", "groundplane-grants"),
        "companion",
        "EnvironmentConfig groundplane-grants",
        PROBLEM,
        "every claim is refused",
    ),
    "grants of an older release": (
        lambda world: _grants(world, kinds=["secrets"]),
        "companion",
        "EnvironmentConfig groundplane-grants",
        PROBLEM,
        "clusters.postgresql.cnpg.io",
    ),
    "grants of another version": (
        lambda world: _grants(world, version="0"),
        "companion",
        "EnvironmentConfig groundplane-grants",
        WARNING,
        "it is of version 0",
    ),
    "a policy is missing": (
        lambda world: world.drop("ValidatingAdmissionPolicy", POLICY),
        "companion",
        f"ValidatingAdmissionPolicy {POLICY}",
        PROBLEM,
        "claims with deletionPolicy Protect are NOT protected",
    ),
    "a binding is missing": (
        lambda world: world.drop("ValidatingAdmissionPolicyBinding", POLICY),
        "companion",
        f"ValidatingAdmissionPolicyBinding {POLICY}",
        PROBLEM,
        "NOT protected",
    ),
    "a binding that only warns": (
        _binding_warns,
        "companion",
        f"ValidatingAdmissionPolicyBinding {POLICY}",
        PROBLEM,
        "it does not Deny",
    ),
    "a policy that lets errors pass": (
        lambda world: world.find("ValidatingAdmissionPolicy", POLICY)["spec"].update(failurePolicy="Ignore"),
        "companion",
        f"ValidatingAdmissionPolicy {POLICY}",
        PROBLEM,
        "lets everything pass",
    ),
    "a policy of another release": (
        lambda world: world.find("ValidatingAdmissionPolicy", POLICY)["spec"].update(validations=[]),
        "companion",
        f"ValidatingAdmissionPolicy {POLICY}",
        WARNING,
        "it is not as this release has it",
    ),
    "policies that take somebody else for Crossplane": (
        lambda world: world.find("EnvironmentConfig", "groundplane-companion").update(data={"users": {}}),
        "companion",
        "EnvironmentConfig groundplane-companion",
        PROBLEM,
        "its users.crossplane is empty",
    ),
    "policies without their users": (
        lambda world: world.drop("EnvironmentConfig", "groundplane-companion"),
        "companion",
        "EnvironmentConfig groundplane-companion",
        PROBLEM,
        "refuse everything",
    ),
    "a namespace names an environment that is not there": (
        lambda world: world.put(namespace("team-b", "prod")),
        "environment",
        "prod",
        PROBLEM,
        "claims in namespace team-b",
    ),
    "an environment names an engine that is not there": (
        lambda world: world.put(environment("odd", engines={"database": "oracle"})),
        "environment",
        "odd",
        PROBLEM,
        "'oracle' is not an engine for database",
    ),
    "an environment names a contract that is not there": (
        lambda world: world.put(environment("odd", engines={"database": "cnpg", "queue": "x"})),
        "environment",
        "odd",
        PROBLEM,
        "engines.queue is no contract",
    ),
    "an environment has a wrong knob": (
        lambda world: world.put(environment("odd", engines={"database": "cnpg"}, backup={"region": "x"})),
        "environment",
        "odd",
        PROBLEM,
        "backup.bucket is missing",
    ),
    "an environment is no mapping of engines": (
        lambda world: world.put(environment("odd", engines="cnpg")),
        "environment",
        "odd",
        PROBLEM,
        "engines: input should be a valid dictionary",
    ),
    "an environment has a section nobody reads": (
        lambda world: world.put(environment("odd", engines={"database": "cnpg"}, backups={})),
        "environment",
        "odd",
        WARNING,
        "backups is read by no engine of this release; did you mean backup?",
    ),
    "a namespace names a config without engines": (
        lambda world: (world.put(environment("odd")), world.put(namespace("team-b", "odd"))),
        "environment",
        "odd",
        WARNING,
        "engines.database is missing",
    ),
    "a CRD of an engine in use is missing": (
        lambda world: world.unserved.add("scheduledbackups.postgresql.cnpg.io"),
        "engine",
        "database/cnpg",
        PROBLEM,
        "scheduledbackups.postgresql.cnpg.io is not served: no CRD is installed",
    ),
    "Crossplane runs as another user": (
        lambda world: world.find("Deployment", "crossplane")["metadata"].update(namespace="xp"),
        "crossplane",
        "user",
        WARNING,
        "Crossplane runs as system:serviceaccount:xp:crossplane",
    ),
    "Crossplane is too old": (
        lambda world: _image_of_crossplane(world, "crossplane:v2.1.9"),
        "crossplane",
        "version",
        PROBLEM,
        "v2.1.9",
    ),
    "Crossplane has no pod": (
        lambda world: world.find("Deployment", "crossplane")["status"].update(readyReplicas=0),
        "crossplane",
        "version",
        PROBLEM,
        "nothing is reconciled",
    ),
    "Crossplane's Deployment is not there": (
        lambda world: world.drop("Deployment", "crossplane"),
        "crossplane",
        "version",
        UNKNOWN,
        "no Deployment has the labels of its chart",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_found_and_nothing_else(world: World, name: str) -> None:
    change, check, subject, state, words = CASES[name]
    change(world)
    (found,) = [one for one in examine(world.snapshot()) if one.state is not OK]
    assert (found.check, found.subject, found.state) == (check, subject, state)
    assert words in found.message
