"""How the doctor reads a cluster, against an API server on loopback."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from doctor_server import Behaviour, kubeconfig, serving
from doctor_world import World, claim, healthy
from groundplane.cli.doctor import CROSSPLANE, user
from groundplane.doctor import cluster, connection, wants
from groundplane.doctor.connection import UnreachableError, connect
from groundplane.doctor.snapshot import Listing, Right, Snapshot

TOKEN = "a-token-nobody-may-see"


@pytest.fixture
def behaviour() -> Behaviour:
    return Behaviour(healthy())


@pytest.fixture
def served(behaviour: Behaviour, tmp_path: Path) -> Iterator[Path]:
    with serving(behaviour, tmp_path) as path:
        yield path


def read(path: Path, namespace: str | None = None, seconds: float = 90) -> Snapshot:
    return cluster.read(connect(path, None, seconds), user(CROSSPLANE), namespace)


def test_what_is_read_is_what_there_is(behaviour: Behaviour, served: Path) -> None:
    found, there = read(served), behaviour.world.snapshot()
    assert found.served == there.served
    assert found.rights == there.rights
    assert found.version == there.version
    assert found.readings == {listing: there.read(listing) for listing in wants.listings()}
    assert not found.undiscovered
    assert not found.rights_lack.lack


def test_nothing_is_written_and_no_secret_is_read(behaviour: Behaviour, served: Path) -> None:
    read(served)
    reviews = {"selfsubjectaccessreviews", "subjectaccessreviews"}
    posts = {words.rpartition("/")[2] for words in behaviour.asked if words.startswith("POST")}
    assert posts == reviews
    assert {words.partition(" ")[0] for words in behaviour.asked} == {"GET", "POST"}
    assert not [words for words in behaviour.asked if "secrets" in words]


def test_claims_of_one_namespace_are_asked_for_in_it(behaviour: Behaviour, served: Path) -> None:
    behaviour.world.put(claim("team-b", "shop"))
    (listing,) = [wants.claims(contract) for contract in wants.every_contract()]
    assert [found.name for found in read(served, "team-a").read(listing).objects] == ["orders"]
    path = f"GET /apis/groundplane.dev/v1alpha1/{listing.kind.plural}"
    assert path not in behaviour.asked
    assert len(read(served).read(listing).items) == 2


def test_long_lists_are_read_to_their_end(behaviour: Behaviour, served: Path) -> None:
    behaviour.page = 2
    for number in range(7):
        behaviour.world.put(claim("team-a", f"claim-{number}"))
    (listing,) = [wants.claims(contract) for contract in wants.every_contract()]
    assert len(read(served).read(listing).items) == 8


def test_lists_without_end_are_given_up(behaviour: Behaviour, served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    behaviour.page = 1
    monkeypatch.setattr(connection, "PAGES", 3)
    for number in range(7):
        behaviour.world.put(claim("team-a", f"claim-{number}"))
    (listing,) = [wants.claims(contract) for contract in wants.every_contract()]
    assert "there are more than" in read(served).read(listing).lack


def test_what_the_own_user_may_not_read_is_said_and_not_tried(behaviour: Behaviour, served: Path) -> None:
    behaviour.world.forbidden = {"providers"}
    lack = read(served).read(Listing(wants.PROVIDER)).lack
    assert lack == "your user may not list providers.pkg.crossplane.io"
    assert "GET /apis/pkg.crossplane.io/v1/providers" not in behaviour.asked


def test_a_refusal_in_spite_of_a_review_is_said_as_well(behaviour: Behaviour, served: Path) -> None:
    behaviour.broken = {"/apis/pkg.crossplane.io/v1/providers": 403}
    assert read(served).read(Listing(wants.PROVIDER)).lack == "your user may not list providers.pkg.crossplane.io"


def test_one_request_that_fails_leaves_the_others_alone(behaviour: Behaviour, served: Path) -> None:
    behaviour.broken = {"/apis/pkg.crossplane.io/v1/providers": 500, "/apis/barmancloud.cnpg.io/v1": 503}
    found, there = read(served), behaviour.world.snapshot()
    assert found.read(Listing(wants.PROVIDER)).lack == "providers.pkg.crossplane.io cannot be read: it is broken"
    assert found.undiscovered == {"barmancloud.cnpg.io/v1": "it is broken"}
    assert found.read(Listing(wants.FUNCTION)) == there.read(Listing(wants.FUNCTION))


def test_rights_are_asked_as_crossplane_and_one_that_is_missing_is_found(behaviour: Behaviour, served: Path) -> None:
    denied = {Right("list", "", "secrets"), Right("update", "groundplane.dev", "xdatabases/status")}
    behaviour.world.denied = denied
    assert {right for right, allowed in read(served).rights.items() if not allowed} == denied
    asked = [body["spec"] for body in behaviour.bodies if body["kind"] == "SubjectAccessReview"]
    assert {(one["user"], tuple(one["groups"])) for one in asked} == {(CROSSPLANE, user(CROSSPLANE).groups)}


def test_who_may_not_ask_for_rights_is_told(behaviour: Behaviour, served: Path) -> None:
    behaviour.world.forbidden = {"subjectaccessreviews"}
    found = read(served)
    assert found.rights == {}
    assert "your user may not create subjectaccessreviews" in found.rights_lack.lack
    assert not [words for words in behaviour.asked if words.endswith("/subjectaccessreviews")]


def test_rights_that_nobody_tells_are_counted(behaviour: Behaviour, served: Path) -> None:
    behaviour.broken = {"/apis/authorization.k8s.io/v1/subjectaccessreviews": 500}
    found = read(served)
    assert found.rights == {}
    assert "rights are not known: it is broken" in found.rights_lack.lack


def test_the_definition_of_an_absent_kind_is_read_where_there_are_any(behaviour: Behaviour, served: Path) -> None:
    name = "instances.rds.aws.m.upbound.io"
    behaviour.world.unserved.add(name)
    behaviour.world.put(wants.MANAGED.manifest(name, spec={"state": "Inactive"}))
    assert read(served).read(Listing(wants.MANAGED, name=name)).named(name)
    asked = [words for words in behaviour.asked if "managedresourcedefinitions/" in words]
    assert len(asked) == 1, "only what is absent: each of them is large"


def test_a_cluster_without_crossplane_is_read_as_well(behaviour: Behaviour, served: Path) -> None:
    behaviour.world = World(unserved={name for name in World().served() if "crossplane.io" in name})
    found = read(served)
    assert found.serves(wants.XRD) is False
    assert not [words for words in behaviour.asked if "pkg.crossplane.io" in words]


def test_nobody_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=r"cannot be reached: .*refused") as caught:
        read(kubeconfig(tmp_path, "http://127.0.0.1:1"))
    assert "\n" not in str(caught.value)


def test_credentials_that_are_refused_are_told_and_never_shown(tmp_path: Path) -> None:
    with serving(Behaviour(healthy(), token="another"), tmp_path) as path:
        path.write_text(path.read_text().replace("another", TOKEN))
        with pytest.raises(UnreachableError) as caught:
            read(path)
    assert "does not accept these credentials: Unauthorized" in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_something_that_is_no_api_server_is_told(tmp_path: Path) -> None:
    behaviour = Behaviour(healthy(), text=b"<html>hello</html>")
    with serving(behaviour, tmp_path) as path, pytest.raises(UnreachableError, match="none of a Kubernetes API server"):
        read(path)


def test_a_server_that_does_not_answer_is_given_up_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "READ_SECONDS", 0.2)
    behaviour = Behaviour(healthy(), delay=2)
    begun = time.monotonic()
    with serving(behaviour, tmp_path) as path, pytest.raises(UnreachableError, match="cannot be reached"):
        read(path)
    assert len(behaviour.asked) == 1, "a second try would only take longer"
    assert time.monotonic() - begun < 20


def test_a_slow_server_is_not_asked_for_ever(tmp_path: Path) -> None:
    behaviour = Behaviour(healthy(), delay=0.1)
    begun = time.monotonic()
    with serving(behaviour, tmp_path) as path:
        found = read(path, seconds=1.5)
    assert time.monotonic() - begun < 20
    assert "the time was up" in found.rights_lack.lack


@pytest.mark.parametrize(
    "content",
    ["", "a: [", "[]", "\x00\x01", "current-context: a\ncontexts: 3\n", "apiVersion: v1\nkind: Config\n"],
)
def test_a_kubeconfig_that_is_none_is_said_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(content)
    with pytest.raises(UnreachableError, match=r"cannot be used: .*--kubeconfig") as caught:
        connect(path, None)
    assert "\n" not in str(caught.value)


def test_a_context_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="nowhere"):
        connect(kubeconfig(tmp_path, "http://127.0.0.1:1"), "nowhere")
