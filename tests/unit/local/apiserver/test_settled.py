"""An apply that changed nothing is known again, and only where it would change nothing again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundplane.core.manifest import Manifest, at
from groundplane.kubernetes.patch.patches import merge_patched
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver.registry import writes
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.registry.request import Request
from plane_process import widget, widget_definition, widgets


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with widgets(tmp_path / "s") as made:
        yield made


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return who was looked at in full."""
    found: list[str] = []
    apply = writes.apply

    def noted(request: Request, *words: Any) -> Any:
        found.append(request.manager)
        return apply(request, *words)

    monkeypatch.setattr(writes, "apply", noted)
    return found


def request(api: Api, manager: str, subresource: str = "") -> Request:
    words = ("example.dev/v1", "Widget", "default", "one")
    return api.request(*words, manager=manager, subresource=subresource, force=True)


def applied(api: Api, manager: str = "composer", **spec: object) -> Manifest:
    return api.apply(request(api, manager), widget("one", **spec))[0].manifest


def say(api: Api, phase: str) -> None:
    change = {"status": {"phase": phase}}
    api.patch(request(api, "provider", "status"), lambda live: merge_patched(live, change))


def test_what_changed_nothing_is_not_looked_at_again(api: Api, looked: list[str]) -> None:
    first = applied(api, size=3)
    assert [applied(api, size=3) for _ in range(4)] == [first] * 4
    assert looked == ["composer"]


def test_a_status_that_somebody_writes_makes_no_difference(api: Api, looked: list[str]) -> None:
    applied(api, size=3)
    for phase in ("Red", "Blue"):
        say(api, phase)
        applied(api, size=3)
    looked.clear()
    say(api, "Green")
    assert at(applied(api, size=3), "status", "phase") == "Green"
    assert not looked


@pytest.mark.parametrize("by", ["another value", "an update", "an apply of others"])
def test_what_somebody_else_changes_is_taken_back(api: Api, looked: list[str], by: str) -> None:
    for _ in range(3):
        applied(api, size=3)
    if by == "another value":
        assert at(applied(api, size=4), "spec", "size") == 4
    elif by == "an update":
        api.patch(request(api, "person"), lambda live: merge_patched(live, {"spec": {"size": 5}}))
    else:
        applied(api, "person", size=5)
    looked.clear()
    found = applied(api, size=3)
    assert at(found, "spec", "size") == 3
    assert looked == ["composer"]
    owners = {one["manager"] for one in found["metadata"]["managedFields"] if "f:size" in str(one["fieldsV1"])}
    assert owners == {"composer"}


@pytest.mark.parametrize("what", ["labels", "spec", "everything"])
def test_what_the_server_itself_takes_away_without_an_owner_is_put_back(api: Api, what: str) -> None:
    key = request(api, "").resource.key("default", "one")
    wanted = widget("one", size=3)
    wanted["metadata"]["labels"] = {"color": "red"}
    api.apply(request(api, "person"), widget("one"))
    before = api.store.get(key)
    assert before
    found = [api.apply(request(api, "composer"), wanted)[0].manifest for _ in range(1 if what == "everything" else 3)][
        -1
    ]
    if what == "labels":
        api.store.put(key, {**found, "metadata": {**found["metadata"], "labels": {}}})
    else:
        api.store.put(key, before if what == "everything" else {**found, "spec": before["spec"]})
    again = api.apply(request(api, "composer"), wanted)[0].manifest
    assert (again["metadata"]["labels"], again["spec"]) == (found["metadata"]["labels"], found["spec"])


def test_another_life_of_the_name_is_another_object(api: Api, looked: list[str]) -> None:
    for _ in range(3):
        applied(api, size=3)
    api.store.remove(request(api, "").resource.key("default", "one"), widget("one"))
    applied(api, "person", size=3)
    looked.clear()
    found = applied(api, size=3)
    assert looked == ["composer"]
    assert "composer" in {one["manager"] for one in found["metadata"]["managedFields"]}


def test_a_schema_that_changes_is_looked_at(api: Api, looked: list[str]) -> None:
    for _ in range(3):
        applied(api, size=3)
    definition = widget_definition()
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["size"] = {
        "type": "integer",
        "maximum": 2,
    }
    api.apply(
        api.request(definition["apiVersion"], definition["kind"], "", definition["metadata"]["name"], force=True),
        definition,
    )
    looked.clear()
    applied(api, size=3)
    assert looked == ["composer"]


def test_a_policy_is_asked_every_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        applied(api, size=3)

    def refuses(*_: object, **__: object) -> tuple[str, ...]:
        raise StatusError(403, "Forbidden", "made up", {})

    monkeypatch.setattr(api._policies, "review", refuses)
    with pytest.raises(StatusError, match="made up"):
        applied(api, size=3)


def test_what_policies_change_by_now_is_changed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        applied(api, size=3)

    def bluer(_old: Manifest | None, new: Manifest) -> Manifest:
        return {**new, "spec": {**new["spec"], "color": "blue"}}

    monkeypatch.setattr(api._policies, "mutate", lambda *_, **__: bluer)
    assert at(applied(api, size=3), "spec", "color") == "blue"


def test_a_precondition_is_looked_at_every_time(api: Api, looked: list[str]) -> None:
    version = applied(api, size=3)["metadata"]["resourceVersion"]
    wanted = widget("one", size=3)
    wanted["metadata"]["resourceVersion"] = version
    for _ in range(3):
        api.apply(request(api, "composer"), wanted)
    assert looked == ["composer"] * 3
