"""Events: the same objects in two groups, in the older words and the newer ones."""

from collections.abc import Iterator
from typing import Any

import pytest

from plane_process import Running, running

OLD = "/api/v1/namespaces/default/events"
NEW = "/apis/events.k8s.io/v1/namespaces/default/events"
STRATEGIC = "application/strategic-merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
WHEN = "2026-01-01T00:00:00.000001Z"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("plane") / "data") as made:
        yield made


def event(name: str, **more: Any) -> dict[str, Any]:
    """Return an Event in the newer words."""
    return {
        "metadata": {"name": name},
        "eventTime": WHEN,
        "reportingController": "example.dev/controller",
        "reportingInstance": "one",
        "action": "Try",
        "reason": "Tried",
        "type": "Normal",
        "note": "it was tried",
        "regarding": {"kind": "Lease", "namespace": "default", "name": "leader", "apiVersion": "v1"},
        **more,
    }


def test_an_event_of_one_group_is_one_of_the_other(plane: Running) -> None:
    assert plane.ask("POST", NEW, event("both")).code == 201
    old = plane.ask("GET", f"{OLD}/both").body
    assert (old["apiVersion"], old["message"], old["reportingComponent"]) == (
        *("v1", "it was tried"),
        "example.dev/controller",
    )
    assert old["involvedObject"]["name"] == "leader"
    assert (old["source"], old["firstTimestamp"], old["eventTime"]) == ({}, None, WHEN)
    assert not {"note", "regarding", "reportingController", "deprecatedSource"} & old.keys()
    new = plane.ask("GET", f"{NEW}/both").body
    assert (new["apiVersion"], new["metadata"]["uid"]) == ("events.k8s.io/v1", old["metadata"]["uid"])
    assert (new["note"], new["regarding"]["name"], new["deprecatedSource"]) == ("it was tried", "leader", {})
    assert not {"message", "involvedObject", "source", "reportingComponent"} & new.keys()


def test_a_legacy_event_is_shown_in_newer_words(plane: Running) -> None:
    legacy = {"metadata": {"name": "legacy"}, "message": "m", "reason": "r", "source": {"component": "c"}, "count": 2}
    assert plane.ask("POST", OLD, legacy).code == 201
    new = plane.ask("GET", f"{NEW}/legacy").body
    assert (new["note"], new["deprecatedCount"], new["deprecatedSource"]) == ("m", 2, {"component": "c"})
    assert not {"reportingController", "reportingInstance"} & new.keys()


def test_a_series_is_added_by_a_patch_and_nothing_else_is_changed(plane: Running) -> None:
    plane.ask("POST", NEW, event("counted"))
    series = {"count": 2, "lastObservedTime": WHEN}
    assert plane.ask("PATCH", f"{NEW}/counted", {"series": series}, Content_Type=STRATEGIC).code == 200
    assert plane.ask("GET", f"{OLD}/counted").body["series"] == series
    for change in ({"note": "other"}, {"reason": "Other"}, {"regarding": {"name": "other"}}):
        answer = plane.ask("PATCH", f"{NEW}/counted", change, Content_Type=STRATEGIC)
        assert (answer.code, "field is immutable" in answer.body["message"]) == (422, True)
    assert plane.ask("PATCH", f"{NEW}/counted", {"series": {"count": 1}}, Content_Type=STRATEGIC).code == 422
    assert plane.ask("PATCH", f"{OLD}/counted", {"message": "other"}, Content_Type=STRATEGIC).code == 200


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"eventTime": None}, "eventTime: Required value"),
        ({"type": "Bad"}, "has invalid value: Bad"),
        ({"reportingController": ""}, "reportingController: Required value"),
        ({"reportingController": "a b"}, "reportingController: Invalid value"),
        ({"reportingInstance": "x" * 129}, "can have at most 128 characters"),
        ({"action": ""}, "action: Required value"),
        ({"note": "x" * 1025}, "message: Invalid value"),
        ({"series": {"count": 1, "lastObservedTime": WHEN}}, "should be at least 2"),
        ({"deprecatedCount": 1}, "needs to be unset"),
        ({"regarding": {"kind": "Node"}}, None),  # what has no namespace is told of in the default one
    ],
)
def test_a_newer_event_must_be_complete(plane: Running, wrong: dict[str, Any], said: str | None) -> None:
    answer = plane.ask("POST", f"{NEW}?dryRun=All", event("wrong", **wrong))
    assert answer.code == (422 if said else 201)
    assert (said or "") in str(answer.body)


def test_lists_watches_selectors_and_tables_are_of_both_groups(plane: Running) -> None:
    first = plane.ask("POST", NEW, event("selected", reason="Chosen")).body["metadata"]["resourceVersion"]
    for path, field in ((OLD, "involvedObject.name"), (NEW, "regarding.name")):
        query = f"fieldSelector={field}%3Dleader,reason%3DChosen"
        found = plane.ask("GET", f"{path}?{query}").body
        assert [one["metadata"]["name"] for one in found["items"]] == ["selected"]
        watched = plane.ask("GET", f"{path}?{query}&watch=1&timeoutSeconds=1&resourceVersion={int(first) - 1}").body
        assert (watched["type"], watched["object"]["apiVersion"]) == ("ADDED", found["apiVersion"])
        table = plane.ask("GET", f"{path}?{query}", Accept=TABLE).body
        assert table["rows"][0]["cells"][1:4] == ["Normal", "Chosen", "lease/leader"]


def test_an_event_is_deleted_by_either_name(plane: Running) -> None:
    plane.ask("POST", NEW, event("gone"))
    assert plane.ask("DELETE", f"{NEW}/gone").code == 200
    assert plane.ask("GET", f"{OLD}/gone").code == 404
    assert 'events.events.k8s.io "gone" not found' in plane.ask("GET", f"{NEW}/gone").body["message"]


def test_a_namespace_goes_with_its_events(plane: Running) -> None:
    plane.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "short"}})
    other = event("there", regarding={"kind": "Lease", "namespace": "short", "name": "leader"})
    assert plane.ask("POST", NEW.replace("default", "short"), other).code == 201
    plane.ask("DELETE", "/api/v1/namespaces/short")
    for _ in range(50):
        if plane.ask("GET", "/api/v1/namespaces/short").code == 404:
            return
    raise AssertionError("the namespace stays")
