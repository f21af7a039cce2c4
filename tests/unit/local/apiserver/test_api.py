"""The API without HTTP: what writes do, and what they leave alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.patch.patches import merge_patched
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver.kinds.resource import Resource
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.registry.decoding import typed
from groundplane.local.apiserver.registry.deletion import Options
from groundplane.local.apiserver.registry.events import record
from plane_process import settle, widget, widget_definition, widgets

WIDGET = ("example.dev/v1", "Widget")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with widgets(tmp_path / "s") as made:
        yield made


def resource(api: Api, api_version: str = WIDGET[0], kind: str = WIDGET[1]) -> Resource:
    found = api.catalogue.of_kind(api_version, kind)
    assert found
    return found


def create(api: Api, manifest: Manifest) -> Manifest:
    request = api.request(manifest["apiVersion"], manifest["kind"], manifest["metadata"].get("namespace", ""))
    return api.create(request, manifest).manifest


def patch(api: Api, name: str, change: JSON, *, subresource: str = "", dry_run: bool = False) -> Manifest:
    request = api.request(*WIDGET, "default", name, subresource=subresource)
    return api.patch(request, lambda live: merge_patched(live, change), dry_run=dry_run).manifest


def refusal(api: Api, manifest: Manifest) -> StatusError:
    with pytest.raises(StatusError) as caught:
        create(api, manifest)
    assert caught.value.status()["code"] == caught.value.code
    return caught.value


def test_defaults_are_stored_and_what_is_not_declared_is_not(api: Api) -> None:
    made = create(api, widget("a", bogus=1))
    assert made["spec"] == {"color": "red", "replicas": 1}
    assert api.get(resource(api), "default", "a") == made


def test_only_the_spec_counts_generations(api: Api) -> None:
    assert create(api, widget("a"))["metadata"]["generation"] == 1
    assert patch(api, "a", {"metadata": {"labels": {"a": "b"}}})["metadata"]["generation"] == 1
    assert patch(api, "a", {"spec": {"color": "blue"}})["metadata"]["generation"] == 2
    assert patch(api, "a", {"status": {"phase": "x"}}, subresource="status")["metadata"]["generation"] == 2


def test_the_status_is_written_on_its_own(api: Api) -> None:
    assert "status" not in create(api, {**widget("a"), "status": {"phase": "x"}})
    assert "status" not in patch(api, "a", {"status": {"phase": "x"}})
    changed = patch(api, "a", {"status": {"phase": "x"}, "spec": {"color": "blue"}}, subresource="status")
    assert (changed["status"], changed["spec"]["color"]) == ({"phase": "x"}, "red")


def test_a_write_that_changes_nothing_makes_no_version(api: Api) -> None:
    create(api, widget("a"))
    patch(api, "a", {"spec": {"color": "blue"}})
    before = api.store.version
    patch(api, "a", {"spec": {"color": "blue"}})
    assert api.store.version == before


def test_a_dry_run_of_any_verb_writes_nothing(api: Api) -> None:
    create(api, widget("a"))
    before = (api.store.version, api.store.objects("widgets.example.dev"))
    request = api.request(*WIDGET, "default", "a")
    made = api.create(api.request(*WIDGET, "default"), widget("b"), dry_run=True)
    assert made.manifest["metadata"]["name"] == "b"
    assert patch(api, "a", {"spec": {"color": "blue"}}, dry_run=True)["spec"]["color"] == "blue"
    body = typed(request.resource, {**api.get(request.resource, "default", "a"), "spec": {"color": "blue"}})
    assert api.replace(request, body, dry_run=True).manifest["spec"]["color"] == "blue"
    assert api.apply(request, widget("a", note="hello"), dry_run=True)[0].manifest["spec"]["note"] == "hello"
    assert api.delete(request.resource, "default", "a", Options(dry_run=True)) is None
    assert (api.store.version, api.store.objects("widgets.example.dev")) == before


@pytest.mark.parametrize(
    ("wrong", "code", "reason", "text"),
    [
        ({"metadata": {"name": "a", "namespace": "nowhere"}}, 404, "NotFound", 'namespaces "nowhere" not found'),
        ({"metadata": {"namespace": "default"}}, 422, "Invalid", "metadata.name: Required value: name or generateName"),
        ({"metadata": {"name": "A", "namespace": "default"}}, 422, "Invalid", 'metadata.name: Invalid value: "A"'),
        ({"metadata": {"name": "a", "namespace": "default", "labels": {"a": 1}}}, 400, "BadRequest", "of type string"),
        ({"metadata": {"name": "a", "namespace": "default", "resourceVersion": "1"}}, 500, "", "should not be set"),
        ({"spec": {"color": "pink"}}, 422, "Invalid", 'spec.color: Unsupported value: "pink"'),
        ({"spec": {"color": "red", "note": "red"}}, 422, "Invalid", "spec: Invalid value: note must differ from color"),
        ({"spec": {"color": "red", "size": 1.5}}, 422, "Invalid", 'must be of type integer,string: "number"'),
        ({"spec": {"color": "red", "one": {}}}, 422, "Invalid", "(oneOf). Found none valid"),
        ({"spec": {"color": "red", "limits": {}}}, 422, "Invalid", "should have at least 1 properties"),
    ],
)
def test_a_wrong_object_is_refused_in_kubernetes_words(
    api: Api, wrong: Manifest, code: int, reason: str, text: str
) -> None:
    error = refusal(api, {**widget("a"), **wrong})
    assert (error.code, error.reason) == (code, reason)
    assert text in str(error)


def test_what_was_wrong_before_and_is_unchanged_does_not_hinder(api: Api) -> None:
    create(api, widget("a", note="hello"))
    definition = widget_definition()
    spec = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["note"]["maxLength"] = 3
    request = api.request(definition["apiVersion"], definition["kind"], "", "widgets.example.dev")
    api.patch(request, lambda live: {**live, "spec": definition["spec"]})
    assert patch(api, "a", {"spec": {"color": "blue"}})["spec"]["note"] == "hello"
    with pytest.raises(StatusError, match="Too long: may not be more than 3 bytes"):
        patch(api, "a", {"spec": {"note": "hallo"}})


def test_an_older_version_is_a_conflict(api: Api) -> None:
    create(api, widget("a"))
    with pytest.raises(StatusError, match="the object has been modified") as caught:
        patch(api, "a", {"metadata": {"resourceVersion": "1"}, "spec": {"color": "blue"}})
    assert caught.value.code == 409


def test_a_list_is_cut_into_pages_that_join(api: Api) -> None:
    for number in range(5):
        create(api, widget(f"w{number}"))
    found, token = [], ""
    while True:
        page = api.page(resource(api), "default", limit=2, token=token)
        found += [one["metadata"]["name"] for one in page.items]
        token = page.token
        if not token:
            break
        assert page.remaining == 5 - len(found)
    assert found == [f"w{number}" for number in range(5)]


def test_an_xrd_is_served_at_once_and_goes_after_its_objects(api: Api) -> None:
    xrd = {
        "apiVersion": "apiextensions.crossplane.io/v2",
        "kind": "CompositeResourceDefinition",
        "metadata": {"name": "xthings.example.org"},
        "spec": {
            "group": "example.org",
            "names": {"kind": "XThing", "plural": "xthings"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "referenceable": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
                        }
                    },
                }
            ],
        },
    }
    made = create(api, xrd)
    assert made["spec"]["scope"] == "Namespaced"
    assert made["status"]["conditions"][0]["type"] == "Established"
    claim = {"apiVersion": "example.org/v1", "kind": "XThing", "metadata": {"name": "a", "namespace": "default"}}
    assert create(api, {**claim, "spec": {"size": 1}})["spec"]["size"] == 1
    xrds = resource(api, "apiextensions.crossplane.io/v1", "CompositeResourceDefinition")
    waiting = api.delete(xrds, "", "xthings.example.org", Options())
    assert waiting
    assert waiting["metadata"]["deletionTimestamp"]
    settle(api)
    kind = resource(api, "example.org/v1", "XThing")
    assert not api.get(kind, "default", "a")["metadata"].get("deletionTimestamp")
    api.delete(kind, "default", "a", Options())
    settle(api)
    assert api.catalogue.of_kind("example.org/v1", "XThing") is None
    assert api.store.objects("xthings.example.org") == []
    assert api.store.objects(xrds.name) == []


def test_a_definition_that_cannot_be_served_is_refused(api: Api) -> None:
    definition = widget_definition()
    definition["metadata"]["name"] = "gadgets.example.dev"
    definition["spec"]["names"] = {"kind": "Gadget", "plural": "gadgets"}
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    schema["x-kubernetes-validations"] = [{"rule": "self.nothing == 1"}]
    assert "no such field" in str(refusal(api, definition))
    assert api.catalogue.of_kind("example.dev/v1", "Gadget") is None


def test_changes_are_heard_once_they_are_kept(api: Api) -> None:
    heard: list[tuple[str, str]] = []
    cancel = api.subscribe(lambda change: heard.append((change.type, change.key.name)))
    create(api, widget("a"))
    cancel()
    create(api, widget("b"))
    assert heard == [("ADDED", "a")]


def test_what_happens_again_is_counted_on_the_same_event(api: Api) -> None:
    about = create(api, widget("a"))
    first = record(api, about, "painter", "Normal", "Painted", "all red")
    again = record(api, about, "painter", "Normal", "Painted", "all red")
    other = record(api, about, "painter", "Warning", "Painted", "all red")
    assert (first["count"], again["count"], other["count"]) == (1, 2, 1)
    assert first["metadata"]["uid"] == again["metadata"]["uid"] != other["metadata"]["uid"]
    assert first["involvedObject"]["uid"] == about["metadata"]["uid"]


def test_an_event_about_what_is_in_no_namespace_is_in_the_default_one(api: Api) -> None:
    definition = api.get(resource(api, "v1", "Namespace"), "", "kube-system")
    assert record(api, definition, "me", "Normal", "Seen", "there")["metadata"]["namespace"] == "default"


def test_the_status_that_one_manager_applies_is_only_status(api: Api) -> None:
    create(api, widget("a"))
    request = api.request(*WIDGET, "default", "a", manager="composer")
    changed = api.update_status(request, {"phase": "ok"})
    assert (changed["status"], changed["spec"]["color"], changed["metadata"]["generation"]) == (
        {"phase": "ok"},
        "red",
        1,
    )
