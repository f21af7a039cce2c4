"""Claims that are right, in a world that is not: each refusal says what is missing and who can help."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import catalogue
from groundplane import contracts, engines
from groundplane.__main__ import main
from groundplane.core.capability import AtLeast, AtMost, Capability, OneOf
from groundplane.crossplane.naming import uid_of
from groundplane.crossplane.observed import RESOURCE_NAME
from rendered_claims import REFUSED, RENDERED, Desk, Patch, at_path, spec
from scenarios import merged

# A value of each field that some engine cannot honour whatever it is.
SAMPLES: dict[str, Any] = {
    "maintenanceWindow": {"day": "Sunday", "startHour": 3},
    "consumers": [{"namespace": "team-reporting"}],
}
LEAST_SECONDS = 60  # what the contract lets a claim ask
CHOICES = {
    "version": ("14", "19"),
    "deletionPolicy": ("Protect", "Retain", "Delete"),
    "objectives.failureTolerance": ("None", "Node", "Zone"),
    "restore.from": ("Claim", "Backup", "Retained"),
}

every_engine = pytest.mark.parametrize("engine", catalogue.engines(), ids=str)


def beyond(path: str, capability: Capability) -> Any:
    """Return a value of the field at *path* that *capability* does not honour; None when there is none."""
    if isinstance(capability, AtLeast):
        return capability.least - 1 if capability.least > LEAST_SECONDS else None
    if isinstance(capability, AtMost):
        return capability.most + 1
    if isinstance(capability, OneOf):
        return next((value for value in CHOICES[path] if not capability.honours(value)), None)
    return SAMPLES[path]


def claim_with(path: str, value: Any) -> Patch:
    if path == "restore.from":
        return spec(restore={"from": value})
    return {"spec": at_path(path.split("."), value)}


def demands() -> Iterator[Any]:
    for engine in catalogue.engines():
        loaded = engines.load(engine.contract, engine.name)
        knobs = loaded.knobs.model_validate(catalogue.one(engine.environment)["data"])
        for path, capability in {**loaded.capabilities, **knobs.capabilities()}.items():
            value = beyond(path, capability)
            if value is not None:
                yield pytest.param(engine, path, value, capability, id=f"{engine}-{path}")


@pytest.mark.parametrize(("engine", "path", "value", "capability"), list(demands()))
def test_a_demand_the_engine_cannot_keep_is_refused_by_field_engine_and_limit(
    tmp_path: Path, engine: catalogue.Engine, path: str, value: Any, capability: Capability
) -> None:
    shown = Desk(tmp_path, engine).render(claim_with(path, value))
    assert (shown.code, shown.out) == (REFUSED, "")
    first, second, *_ = shown.err.splitlines()
    assert first.endswith("is refused: NotOffered")
    said = path if isinstance(value, dict | list) else f"{path}: {value}"
    assert second.startswith(f"  {said} is not offered by {engine.name} ({capability.limit()})")


def leaves(data: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if path:
        yield path
    if isinstance(data, dict):
        for name, value in data.items():
            yield from leaves(value, (*path, name))


def knobs(depth: int = 0) -> list[Any]:
    """Return every knob that an example environment sets, with its engine; only those of *depth* steps, if given."""
    return [
        pytest.param(engine, path, id=f"{engine}-{'.'.join(path)}")
        for engine in catalogue.engines()
        for path in leaves(catalogue.one(engine.environment)["data"])
        if path[0] != "engines" and depth in {0, len(path)}
    ]


def needed(engine: catalogue.Engine) -> set[str]:
    """Return the dotted paths of the knobs without which the engine's model is not valid."""
    found: set[str] = set()
    for name, field in engines.load(engine.contract, engine.name).knobs.model_fields.items():
        section = field.alias or name
        if field.is_required():
            found.add(section)
        inner = next((part for part in (field.annotation, *getattr(field.annotation, "__args__", ()))
                      if hasattr(part, "model_fields")), None)  # fmt: skip
        for key, knob in getattr(inner, "model_fields", {}).items():
            if knob.is_required():
                found.add(f"{section}.{knob.alias or key}")
    return found


@pytest.mark.parametrize(("engine", "path"), knobs())
def test_a_knob_that_is_missing_is_named_or_was_not_needed(
    tmp_path: Path, engine: catalogue.Engine, path: tuple[str, ...]
) -> None:
    name = ".".join(path)
    shown = Desk(tmp_path, engine).render(environment={"data": at_path(path, None)})
    if name in needed(engine):
        assert shown.code == REFUSED
    if shown.code != RENDERED and "is refused: NotOffered" not in shown.err:  # it may have widened what is offered
        assert shown.code == REFUSED
        assert name in shown.err
        assert "sk the platform team" in shown.err


@pytest.mark.parametrize(("engine", "path"), knobs(depth=2))
def test_a_knob_that_is_misspelt_is_never_ignored(
    tmp_path: Path, engine: catalogue.Engine, path: tuple[str, ...]
) -> None:
    section, knob = path
    shown = Desk(tmp_path, engine).render(environment={"data": {section: {f"{knob}x": "typo"}}})
    assert shown.code == REFUSED
    assert f"{section}.{knob}x" in shown.err


@every_engine
def test_an_operator_that_is_missing_is_named_with_what_it_lacks(tmp_path: Path, engine: catalogue.Engine) -> None:
    loaded = engines.load(engine.contract, engine.name)
    for kind in (kind for kind in loaded.kinds if not kind.builtin):
        shown = Desk(tmp_path, engine).render(absent=[f"{kind.kind}.{kind.group}"])
        assert shown.code == REFUSED
        assert "is refused: EngineNotInstalled" in shown.err
        assert f"{loaded.product} is not installed, or not whole: the API server has no {kind.crd}." in shown.err


@every_engine
def test_an_optional_kind_that_is_missing_is_left_out_or_asked_for_by_name(
    tmp_path: Path, engine: catalogue.Engine
) -> None:
    for kind in engines.load(engine.contract, engine.name).optional_kinds:
        shown = Desk(tmp_path, engine).render(absent=[f"{kind.kind}.{kind.group}"])
        if shown.code == RENDERED:
            assert f"kind: {kind.kind}\n" not in shown.out
        else:
            assert "is refused: EngineNotInstalled" in shown.err
            assert kind.crd in shown.err


@every_engine
def test_without_the_companion_set_nothing_is_promised(tmp_path: Path, engine: catalogue.Engine) -> None:
    shown = Desk(tmp_path, engine).render(absent=["companion"])
    assert shown.code == REFUSED
    assert "the companion set, which protects data, is not installed" in shown.err


@pytest.mark.parametrize(
    "engine",
    [one for one in catalogue.engines() if "backup" in engines.load(one.contract, one.name).knobs.model_fields],
    ids=str,
)
@pytest.mark.parametrize(
    ("data", "lacks"),
    [
        (None, "does not exist"),
        ({}, "has no entry access-key-id and secret-access-key"),
        ({"access-key-id": "aWQ="}, "has no entry secret-access-key"),
        ({"access-key-id": "aWQ=", "secret-access-key": ""}, "has no entry secret-access-key"),
    ],
)
def test_a_secret_without_the_expected_entry_is_named(
    tmp_path: Path, engine: catalogue.Engine, data: dict[str, str] | None, lacks: str
) -> None:
    namespace = catalogue.one(engine.example)["metadata"]["namespace"]
    target = {"bucket": "backups-{namespace}", "credentials": "backup-keys"}
    metadata = {"name": "backup-keys", "namespace": namespace}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
    required = [] if data is None else [secret]
    shown = Desk(tmp_path, engine).render(environment={"data": {"backup": target}}, required=required)
    assert shown.code == REFUSED
    assert f"Secret backup-keys in namespace {namespace} {lacks}." in shown.err


@every_engine
def test_a_binding_of_somebody_else_is_never_taken_over(tmp_path: Path, engine: catalogue.Engine) -> None:
    claim = catalogue.one(engine.example)["metadata"]
    name = f"{claim['name']}-{contracts.load(engine.contract).stem}-binding"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": claim["namespace"]}}
    shown = Desk(tmp_path, engine).render(required=[secret])
    assert (shown.code, shown.out) == (REFUSED, "")
    assert "is refused: NameTaken" in shown.err
    assert f"Secret {name} in namespace {claim['namespace']} exists and does not belong to this claim" in shown.err


@every_engine
@pytest.mark.parametrize(
    "broken",
    [
        {"status": {"conditions": "none"}},
        {"status": {"conditions": [None, "Ready", 3, {"type": 4}]}},
        {"status": {"phase": 5, "atProvider": "there", "currentPrimary": "here", "readyInstances": "two"}},
        {"spec": {"forProvider": [], "bootstrap": "initdb"}},
        {"metadata": {"annotations": {"groundplane.dev/retention-days": "week"}}},
    ],
)
def test_an_observed_object_that_is_malformed_breaks_nothing(
    tmp_path: Path, engine: catalogue.Engine, broken: Patch
) -> None:
    anchor = engines.load(engine.contract, engine.name).anchor
    claim = catalogue.one(engine.example)
    owner = {key: claim[key] for key in ("apiVersion", "kind")}
    name = f"{claim['metadata']['name']}-{contracts.load(engine.contract).stem}-1"
    metadata = {
        "name": name,
        "namespace": claim["metadata"]["namespace"],
        "annotations": {RESOURCE_NAME: f"{engine.name}-1-{anchor.role}"},
        "ownerReferences": [
            {**owner, "name": claim["metadata"]["name"], "uid": uid_of(claim), "controller": True},
        ],
    }
    found = {"apiVersion": anchor.kind.api_version, "kind": anchor.kind.kind, "metadata": metadata}
    shown = Desk(tmp_path, engine).render(observed=[merged(found, broken)])
    assert shown.code in {RENDERED, REFUSED}, shown.err
    assert "the function failed" not in shown.err
    assert "is left out" not in shown.err


def test_a_warning_of_the_function_is_told_beside_the_manifests(tmp_path: Path) -> None:
    environment = tmp_path / "environment.yaml"
    given = (catalogue.ENVIRONMENTS / "kubernetes.yaml").read_text(encoding="utf-8")
    environment.write_text(given.replace("  monitoring:", "  monitorng:"), encoding="utf-8")
    words = ["render", str(catalogue.EXAMPLES / "database" / "cnpg.yaml"), "--environment", str(environment)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0
    assert "monitorng is read by no engine of this release; did you mean monitoring?" in result.stderr
    assert "kind: Cluster" in result.stdout
