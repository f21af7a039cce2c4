"""People of other names, as the real kubectl lets somebody be one: who they are, and what they are told."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bareplane.waiting import PATIENCE_SECONDS
from groundplane.core.manifest import Manifest
from groundplane.generate import companion
from groundplane.generate.companion import roles
from groundplane.generate.companion._policy import all_of
from groundplane.local.plane.default_environment import own_policies
from plane_process import Running, running

KUBECTL = Path(sys.executable).parent / "kubectl"
AS_DEVELOPER = ("--as=developer", "--as-group=team")
CROSSPLANE = "--as=system:serviceaccount:crossplane-system:crossplane"
CLAIMED = {"groundplane.dev/claim": "db.orders", "groundplane.dev/guarded": "true"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("plane") / "data") as made:
        policies = [one for several in companion.policies().values() for one in all_of(several)]
        done = asked(made, "apply", "-f", "-", stdin=[roles.settings(), *policies, *own_policies("local")])
        assert done.returncode == 0, done.stderr
        yield made


def asked(plane: Running, *words: str, stdin: list[Manifest] | None = None) -> subprocess.CompletedProcess[str]:
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": stdin}) if stdin else None
    command = [str(KUBECTL), f"--kubeconfig={plane.kubeconfig}", *words]
    home = {**os.environ, "HOME": str(plane.folder)}
    return subprocess.run(
        command, input=given, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS, env=home
    )


def said(plane: Running, *words: str) -> str:
    done = asked(plane, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_everybody_is_told_who_they_are(plane: Running) -> None:
    assert said(plane, "auth", "whoami", "-o", "jsonpath={.status.userInfo}") == (
        '{"groups":["system:masters","system:authenticated"],"username":"groundplane:owner"}'
    )
    assert said(plane, "auth", "whoami", *AS_DEVELOPER, "-o", "jsonpath={.status.userInfo}") == (
        '{"groups":["team","system:authenticated"],"username":"developer"}'
    )
    account = said(plane, "auth", "whoami", CROSSPLANE, "-o", "jsonpath={.status.userInfo.groups}")
    assert account == ('["system:serviceaccounts","system:serviceaccounts:crossplane-system","system:authenticated"]')


def test_what_is_real_everybody_may_and_what_is_not_only_the_owner(plane: Running) -> None:
    assert said(plane, "auth", "can-i", "delete", "configmaps", *AS_DEVELOPER) == "yes\n"
    virtual = ("auth", "can-i", "override", "claims.groundplane.dev")
    assert said(plane, *virtual) == "yes\n"
    assert asked(plane, *virtual, *AS_DEVELOPER).stdout == "no\n"


def test_whoever_is_nobody_may_nothing(plane: Running) -> None:
    done = asked(plane, "get", "configmaps", "--as=system:anonymous")
    assert 'Error from server (Forbidden): User "system:anonymous" cannot reach path' in done.stderr
    answer = plane.ask("GET", "/api/v1/namespaces/default/configmaps", Impersonate_Group="team")
    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")


def test_a_new_namespace_belongs_to_the_environment_and_keeps_to_it(plane: Running) -> None:
    asked(plane, "create", "namespace", "team")
    label = ("get", "namespace", "team", "-o", r"jsonpath={.metadata.labels.groundplane\.dev/environment}")
    assert said(plane, *label) == "local"
    done = asked(plane, "label", "namespace", "team", "groundplane.dev/environment-")
    assert done.stderr.startswith(
        'Error from server (Forbidden): namespaces "team" is forbidden: ValidatingAdmissionPolicy'
        " 'groundplane-namespace' with binding 'groundplane-namespace' denied request: namespace team: without the"
    )
    assert "denied request" in asked(plane, "delete", "namespace", "team", "--dry-run=server").stderr


def test_only_crossplane_makes_an_object_part_of_a_claim_and_nobody_deletes_it(plane: Running) -> None:
    metadata = {"name": "orders", "namespace": "default", "labels": CLAIMED}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    for who in ("--dry-run=server", AS_DEVELOPER[0]):
        done = asked(plane, "create", who, "-f", "-", stdin=[secret])
        assert re.search(r"with binding 'groundplane-identity' denied request: metadata.labels", done.stderr)
    assert asked(plane, "create", CROSSPLANE, "-f", "-", stdin=[secret]).returncode == 0
    done = asked(plane, "delete", "secrets", "--all", "-n", "default")
    assert "with binding 'groundplane-guarded' denied request: Secret orders holds data" in done.stderr
    raw = asked(plane, "delete", "--raw", "/api/v1/namespaces/default/secrets")
    assert "'groundplane-guarded' denied request: Secret orders holds data" in raw.stderr
    assert said(plane, "get", "secrets", "-n", "default", "-o", "name") == "secret/orders\n"


def test_a_policy_that_cannot_be_compiled_is_refused_by_its_field(plane: Running) -> None:
    bad = all_of(companion.policies()["claims"])[0]
    bad["metadata"]["name"] = "bad"
    bad["spec"]["validations"][0]["expression"] = "oldObject.spec =="
    done = asked(plane, "create", "-f", "-", stdin=[bad])
    said_first = 'The ValidatingAdmissionPolicy "bad" is invalid: spec.validations[0].expression: Invalid value: '
    assert done.stderr.startswith(said_first)
    assert "Syntax error" in done.stderr


def test_policies_are_listed_like_everything_else(plane: Running) -> None:
    assert "groundplane-namespace-environment" in said(plane, "get", "mutatingadmissionpolicies")
    assert "EnvironmentConfig" in said(plane, "get", "validatingadmissionpolicies", "groundplane-guarded")
