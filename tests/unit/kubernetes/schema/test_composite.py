"""What Crossplane makes of an XRD: what it copies, drops, adds and limits."""

import pytest

from groundplane.core.manifest import JSON, Manifest
from groundplane.kubernetes.schema import DefinitionError, KindSchema, Registry
from small_schemas import TEXT, lines, record, ruled


def _xrd(schema: JSON, *, api: str = "v2", served: bool = True, **spec: JSON) -> Manifest:
    return {
        "apiVersion": f"apiextensions.crossplane.io/{api}",
        "kind": "CompositeResourceDefinition",
        "metadata": {"name": "xthings.example.org"},
        "spec": {
            "group": "example.org",
            "names": {"kind": "XThing", "plural": "xthings"},
            "versions": [
                {
                    "name": "v1",
                    "served": served,
                    "referenceable": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
            **spec,
        },
    }


def _kind(schema: JSON, **more: JSON) -> KindSchema:
    found = Registry.of([_xrd(schema, **more)]).find("example.org/v1", "XThing")
    assert found is not None
    return found


def _claim(spec: JSON, name: str = "a", **more: JSON) -> Manifest:
    identity = {"apiVersion": "example.org/v1", "kind": "XThing", "metadata": {"name": name}}
    return {**identity, "spec": spec, **more}


_PLAIN = record(spec=record(size=TEXT), status=record(note=TEXT))


def _about(schema: JSON, claim: Manifest, **more: JSON) -> list[str]:
    return lines(_kind(schema, **more).validate(claim))


def test_a_kind_knows_its_identity() -> None:
    kind = _kind(_PLAIN)
    assert (kind.api_version, kind.kind, kind.plural, kind.group, kind.namespaced) == (
        "example.org/v1",
        "XThing",
        "xthings",
        "example.org",
        True,
    )


@pytest.mark.parametrize(
    ("api", "spec", "namespaced"),
    [
        ("v2", {}, True),
        ("v2", {"scope": "Cluster"}, False),
        ("v1", {}, False),
        ("v1", {"scope": "Namespaced"}, True),
    ],
)
def test_the_scope_follows_the_api_version(api: str, spec: Manifest, *, namespaced: bool) -> None:
    assert _kind(_PLAIN, api=api, **spec).namespaced is namespaced


def test_a_claim_must_have_a_spec_even_when_the_xrd_does_not_say_so() -> None:
    claim = _claim({})
    del claim["spec"]
    assert _about(_PLAIN, claim) == ["spec: is required"]


def test_the_machinery_of_crossplane_is_accepted() -> None:
    machinery = {
        "compositionRef": {"name": "cnpg"},
        "compositionRevisionRef": {"name": "cnpg-1"},
        "compositionSelector": {"matchLabels": {"engine": "cnpg"}},
        "compositionRevisionSelector": {"matchLabels": {}},
        "compositionUpdatePolicy": "Manual",
        "resourceRefs": [{"apiVersion": "v1", "kind": "Secret", "name": "a"}],
    }
    assert _about(_PLAIN, _claim({"crossplane": machinery})) == []


@pytest.mark.parametrize(
    ("machinery", "complaint"),
    [
        ({"compositionRef": {}}, "compositionRef.name: is required"),
        ({"compositionSelector": {}}, "compositionSelector.matchLabels: is required"),
        (
            {"compositionUpdatePolicy": "Never"},
            'compositionUpdatePolicy: "Never" is not one of Automatic, Manual',
        ),
        ({"resourceRefs": [{"kind": "X"}]}, "resourceRefs[0].apiVersion: is required"),
        (
            {"resourceRefs": [{"kind": "X", "apiVersion": "v1", "namespace": "x"}]},
            "resourceRefs[0].namespace: unknown field",
        ),
        ({"compositonRef": {}}, "compositonRef: unknown field (did you mean compositionRef?)"),
    ],
)
def test_the_machinery_of_crossplane_is_checked(machinery: Manifest, complaint: str) -> None:
    assert _about(_PLAIN, _claim({"crossplane": machinery})) == [f"spec.crossplane.{complaint}"]


def test_a_cluster_scoped_kind_may_reference_any_namespace() -> None:
    refs = {"resourceRefs": [{"kind": "X", "apiVersion": "v1", "namespace": "x"}]}
    assert _about(_PLAIN, _claim({"crossplane": refs}), scope="Cluster") == []


def test_a_legacy_kind_has_its_machinery_directly_in_spec() -> None:
    claim = _claim({"compositionRef": {"name": "a"}, "crossplane": {}})
    assert _about(_PLAIN, claim, api="v1") == ["spec.crossplane: unknown field"]


def test_only_a_legacy_kind_has_connection_details_in_its_status() -> None:
    claim = _claim({}, status={"connectionDetails": {}, "claimConditionTypes": ["a"]})
    assert _about(_PLAIN, claim, api="v1") == []
    assert _about(_PLAIN, claim) == [
        "status.connectionDetails: unknown field",
        "status.claimConditionTypes: unknown field (did you mean conditions?)",
    ]


@pytest.mark.parametrize(
    ("spec", "policy"),
    [({}, "Automatic"), ({"defaultCompositionUpdatePolicy": "Manual"}, "Manual")],
)
def test_the_update_policy_has_the_default_of_the_xrd(spec: Manifest, policy: str) -> None:
    kind = _kind(_PLAIN, **spec)
    filled = kind.default(_claim({"crossplane": {}}))
    assert filled["spec"]["crossplane"] == {"compositionUpdatePolicy": policy}
    assert kind.default(_claim({}))["spec"] == {}


def test_conditions_are_part_of_every_status() -> None:
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Available",
        "lastTransitionTime": "2026-11-24T08:00:00Z",
        "observedGeneration": 1,
    }
    good = _claim({}, status={"note": "x", "conditions": [condition]})
    assert _about(_PLAIN, good) == []
    twice = _claim({}, status={"conditions": [condition, condition]})
    assert _about(_PLAIN, twice) == ["status.conditions[1]: repeats the type of status.conditions[0]"]


def test_a_status_field_nobody_declared_is_unknown() -> None:
    assert _about(_PLAIN, _claim({}, status={"phase": "x"})) == ["status.phase: unknown field"]


@pytest.mark.parametrize(("own", "longest"), [({}, 63), ({"maxLength": 40}, 40), ({"maxLength": 200}, 63)])
def test_a_name_is_at_most_63_characters_whatever_the_xrd_says(own: Manifest, longest: int) -> None:
    schema = {**_PLAIN, "properties": {**_PLAIN["properties"], "metadata": record(name=own)}}
    assert _about(schema, _claim({}, name="a" * longest)) == []
    assert _about(schema, _claim({}, name="a" * (longest + 1))) == [
        f"metadata.name: can have at most {longest} characters, not {longest + 1}"
    ]


def test_what_crossplane_copies_is_enforced() -> None:
    spec = ruled(record("size", size=TEXT, sizes=TEXT), "self.size != 'x'", message="no x")
    schema = ruled(record(spec=spec), "self.metadata.name != 'b'", message="no b")
    assert _about(schema, _claim({})) == ["spec.size: is required"]
    assert _about(schema, _claim({"size": "x"}, name="b")) == ["no b", "spec: no x"]


def test_what_crossplane_drops_is_not_enforced() -> None:
    spec = {**record(size=TEXT), "minProperties": 1, "default": {"size": "x"}, "not": {}}
    status = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = record("extra", spec=spec, status=status, extra=TEXT)
    kind = _kind(schema)
    assert lines(kind.validate(_claim({}))) == []
    assert kind.default({"kind": "XThing"}) == {"kind": "XThing"}
    assert lines(kind.validate(_claim({}, extra="x"))) == ["extra: unknown field"]
    assert lines(kind.validate(_claim({}, status={"a": 1}))) == ["status.a: unknown field"]


def test_a_rule_can_read_the_machinery() -> None:
    keeps = "!has(oldSelf.crossplane) || has(self.crossplane)"
    kind = _kind(record(spec=ruled(record(), keeps, message="keep it")))
    before = _claim({"crossplane": {"compositionRef": {"name": "a"}}})
    assert lines(kind.validate(_claim({}), before)) == ["spec: keep it"]
    assert lines(kind.validate(before, before)) == []


def test_a_version_that_is_not_served_is_not_found() -> None:
    assert Registry.of([_xrd(_PLAIN, served=False)]).find("example.org/v1", "XThing") is None


def test_other_documents_are_ignored() -> None:
    others = [
        {"apiVersion": "v1", "kind": "Secret"},
        {"apiVersion": "apiextensions.crossplane.io/v1", "kind": "Composition"},
        {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview"},
        {"kind": "CompositeResourceDefinition"},
    ]
    assert list(Registry.of(others)) == []


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"versions": {"v1": {}}}, "spec.versions must list at least one version"),
        ({"names": {"kind": "", "plural": "xthings"}}, "spec.names.kind is required"),
        ({"names": {"kind": 1, "plural": "xthings"}}, "spec.names.kind is required"),
        ({"versions": []}, "spec.versions must list at least one version"),
        ({"names": {"kind": "XThing"}}, "spec.names.plural is required"),
        ({"names": {"plural": "xthings"}}, "spec.names.kind is required"),
        (
            {"versions": [{"name": "v1"}]},
            "spec.versions[0].schema.openAPIV3Schema must be an object",
        ),
    ],
)
def test_a_definition_that_says_too_little_is_named(broken: Manifest, reason: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        Registry.of([_xrd(_PLAIN, **broken)])
    name = "CompositeResourceDefinition xthings.example.org"
    assert str(caught.value) == f"{name}: {reason}"
