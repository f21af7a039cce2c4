"""Real controllers' libraries, client-go and fabric8, on the embedded plane and on the real API server alike."""

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from bareplane.kubectl import Kubectl
from bareplane.plane import FOLDER_VARIABLE, Plane
from bareplane.waiting import NotYetError, eventually
from groundplane.core.manifest import at
from plane_process import Running, running
from planes import programs
from planes.programs import Program, running_program

ROOT = Path(__file__).resolve().parent.parent.parent
FORMS = ("json", "protobuf")


@dataclass(frozen=True)
class Served:
    """An API server that knows claims, and a namespace of it."""

    kubectl: Kubectl
    namespace: str

    @property
    def kubeconfig(self) -> Path:
        return self.kubectl.kubeconfig

    def run(self, *words: str) -> str:
        return self.kubectl("-n", self.namespace, *words)


@pytest.fixture(params=["embedded", "real"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    if request.param == "embedded":
        with running(tmp_path / "plane") as plane:
            yield prepared(plane.kubeconfig, tmp_path)
    elif folder := os.environ.get(FOLDER_VARIABLE):
        served = prepared(Plane(Path(folder)).kubeconfig, tmp_path)
        yield served
        served.kubectl("delete", "namespace", served.namespace, "--wait=false")
    else:
        pytest.skip("no real plane was started: make planes starts one")


def prepared(kubeconfig: Path, path: Path) -> Served:
    """Return the server of *kubeconfig*, with the kind of claims and a new namespace."""
    kubectl = Kubectl(kubeconfig, cache=path / "kubectl")
    (definition,) = (
        one
        for file in (ROOT / "apis").rglob("*.yaml")
        for one in yaml.safe_load_all(file.read_text())
        if one["metadata"]["name"] == "xdatabases.groundplane.dev"
    )
    kubectl.apply(definition)
    eventually(lambda: "xdatabases" in kubectl.ask("api-resources", "--api-group=groundplane.dev", "-o", "name"))
    namespace = f"clients-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", namespace)
    return Served(kubectl, namespace)


def claim(server: Served, name: str) -> None:
    body = yaml.safe_load((ROOT / "examples" / "database" / "local.yaml").read_text())
    server.kubectl.apply({**body, "metadata": {"name": name}}, namespace=server.namespace)


def lease(server: Served) -> dict[str, object]:
    return dict(server.kubectl.get("lease", "leader", "-n", server.namespace)["spec"])


@pytest.mark.parametrize("form", FORMS)
def test_client_go_elects_one_leader_and_the_next_when_it_goes(server: Served, form: str) -> None:
    words: tuple[str | Path, ...] = (*programs.go(), "lead", server.kubeconfig, form, server.namespace)
    with running_program(*words, "one") as one:
        one.await_("leads", "sees one")
        with running_program(*words, "two") as two:
            two.await_("sees one")
            assert "leads" not in two.lines
            assert one.end() == 0  # it lets go, so that nobody waits
            two.await_("sees two", "leads")
            assert "stops" in one.lines
            with running_program(*words, "three") as three:
                three.await_("sees two")
                two.kill()  # it lets nothing go: its time must be over first
                three.await_("sees three", "leads")
                assert lease(server)["holderIdentity"] == "three"
                assert lease(server)["leaseTransitions"] == 2
                check_events(server, "one", "two", "three")
                assert three.end() == 0
    assert lease(server)["holderIdentity"] == ""
    check_answers(form, one, two, three)


def check_events(server: Served, *leaders: str) -> None:
    """Check that each of *leaders* recorded both kinds of Events; who leads now did it more than once, in a series."""
    found: list[dict[str, Any]] = []

    def told() -> bool:
        nonlocal found
        found = server.kubectl.get("events.events.k8s.io", "-n", server.namespace)
        notes = {one["note"] for one in found}
        series = {one["note"] for one in found if (at(one, "series", "count") or 0) > 1}
        said = {f"{name} {what}" for name in leaders for what in ("became leader", "leads")}
        return said <= notes and f"{leaders[-1]} leads" in series

    try:
        eventually(told, 30)
    except NotYetError:
        raise AssertionError("\n".join(map(str, found))) from None
    assert "one became leader" in server.run("events", "--for=lease/leader")


def check_answers(form: str, *seen: Program) -> None:
    """Check that all was answered in *form*, but for what is only ever told in JSON."""
    kinds = {line for one in seen for line in one.lines if line.startswith("answered ")}
    wanted = {"json": "application/json", "protobuf": "application/vnd.kubernetes.protobuf"}[form]
    assert kinds
    assert all(wanted in line for line in kinds), kinds


@pytest.mark.parametrize("form", FORMS)
def test_informers_of_client_go_see_what_comes_changes_and_goes(server: Served, form: str) -> None:
    server.run("create", "configmap", "early", "--from-literal=value=1")
    with running_program(*programs.go(), "watch", server.kubeconfig, form, server.namespace) as seen:
        seen.await_("ready", "ConfigMap ADD early 1", f"Namespace ADD {server.namespace} Active")
        seen.await_(f"binds {server.namespace} secrets")
        server.run("create", "secret", "generic", "login", "--from-literal=value=four")
        server.run("patch", "configmap", "early", "-p", '{"data":{"value":"2"}}')
        claim(server, "orders")
        server.run("delete", "configmap/early", "secret/login", "xdatabase/orders")
        seen.await_(
            *("ConfigMap UPDATE early 2", "ConfigMap DELETE early", "Secret ADD login 4 bytes"),
            *("Secret DELETE login", "XDatabase ADD orders", "XDatabase DELETE orders"),
        )
        assert seen.end() == 0
    if form == "protobuf":  # of claims only metadata are asked for, in whichever form that client likes
        check_answers(form, seen)


def test_a_watch_and_informers_of_fabric8_see_what_comes_changes_and_goes(
    server: Served, request: pytest.FixtureRequest
) -> None:
    if request.node.callspec.params["server"] == "real":
        pytest.skip("fabric8 reads no elliptic-curve key of a client by itself, and the real plane knows us by one")
    server.run("create", "secret", "generic", "early", "--from-literal=value=1")
    server.run("label", "secret", "early", "seen=yes")
    with running_program(*programs.java(), server.kubeconfig, server.namespace) as seen:
        seen.await_("ready true", "Secret ADD early")
        change(server)
        seen.await_("XDatabase ADD orders")
        remove(server)
        seen.await_(*CHANGES)
        seen.tell("\n")
        seen.await_("kept 1 0")
        assert seen.end() == 0
    order = [line for line in seen.lines if line.startswith("watch")]
    assert order[:4] == ["watch ADDED shown 1", "watch MODIFIED shown 2", "watch DELETED shown 2", "watch CLOSED"]


CHANGES = (
    *("watch ADDED shown 1", "watch MODIFIED shown 2", "watch DELETED shown 2"),
    *("Secret UPDATE early", "XDatabase ADD orders", "XDatabase UPDATE orders", "XDatabase DELETE orders"),
)


def change(server: Served) -> None:
    shown = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shown", "labels": {"seen": "yes"}}}
    for value in ("1", "2"):
        server.kubectl.apply({**shown, "data": {"value": value}}, namespace=server.namespace)
    server.run("create", "configmap", "unlabelled")
    server.run("annotate", "secret", "early", "a=b", "--overwrite")
    claim(server, "orders")


def remove(server: Served) -> None:
    server.run("annotate", "xdatabase", "orders", "a=b")
    server.run("delete", "configmap/shown", "xdatabase/orders")


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Callable[[], Running]]:
    """Return what starts the plane, and starts it anew in the same folder."""
    started: list[Running] = []

    def start() -> Running:
        if started:
            assert started[-1].end() == 0
        started.append(Running(tmp_path / "plane", "groundplane.local.apiserver.server"))
        return started[-1]

    yield start
    started[-1].end()


@pytest.mark.parametrize("language", ["java", "go"])
def test_informers_go_on_when_the_plane_was_started_anew(
    plane: Callable[[], Running], tmp_path: Path, language: str
) -> None:
    served = prepared(plane().kubeconfig, tmp_path)
    served.run("create", "secret", "generic", "early", "--from-literal=value=1")
    served.run("label", "secret", "early", "seen=yes")
    java = language == "java"
    words = programs.java() if java else (*programs.go(), "watch")
    more = (served.namespace,) if java else ("protobuf", served.namespace)
    with running_program(*words, served.kubeconfig, *more) as seen:
        seen.await_("ready true" if java else "ready")
        plane()
        change(served)
        # A library comes back when it thinks fit, and may be told then only of what is there.
        seen.await_("Secret UPDATE early" if java else "Secret UPDATE early 1 bytes", "XDatabase ADD orders")
        remove(served)
        seen.await_("XDatabase DELETE orders")
        if java:  # a watch that saw nothing yet begins anew, with what there is
            seen.await_("watch DELETED shown 2", "XDatabase UPDATE orders")
        assert seen.end() == 0
    told = [line for line in seen.lines if line == "XDatabase ADD orders"]
    assert len(told) == 1
