"""Asks the pure entry point, until it knows all it asks for, in a world of plain objects."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import catalogue
from catalogue import Manifest
from groundplane import contracts
from groundplane.compose.compose import compose
from groundplane.compose.request import Request
from groundplane.core.answer import Answer
from groundplane.core.manifest import ENVIRONMENT_LABEL, GRANTS, RETENTION_DAYS
from groundplane.core.observation import Observation, Observed, Requirement

UID: Final = "00000000-0000-4000-8000-0000000000aa"
NOW: Final = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CALLS: Final = 6  # what the reconciler allows
BINDING: Final = "binding"


def claim_of(engine: catalogue.Engine, spec: Manifest | None = None, **more: Any) -> Manifest:
    """Return the engine's example with another *spec*, as it is stored, in the engine's environment."""
    example = catalogue.one(engine.example)
    labels = {ENVIRONMENT_LABEL: catalogue.one(engine.environment)["metadata"]["name"]}
    metadata = {**example["metadata"], "uid": UID, "generation": 1, "labels": labels}
    return {**example, "metadata": metadata, "spec": spec or example["spec"], **more}


def answer(  # noqa: PLR0913  # Everything an answer depends on, by name.
    engine: catalogue.Engine,
    claim: Manifest,
    composed: Mapping[str, Any] | None = None,
    objects: Iterable[Manifest] = (),
    *,
    environment: Manifest | None = None,
    junk: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to *claim*, with *composed* observed and *objects* around it.

    *junk* takes the place of what a requirement of that name would bring.
    """
    chosen = environment or catalogue.one(engine.environment)
    grants = {**chosen, "metadata": {"name": GRANTS}, "data": {"kinds": ["*"]}}
    world = [chosen, grants, *objects]
    required: dict[str, list[Observed]] = {}
    schemas: dict[str, bool] = {}
    for _ in range(CALLS):
        seen = Observation(
            composed={name: Observed.of(found) for name, found in (composed or {}).items()},
            required=required,
            schemas=schemas,
            status=claim.get("status", {}),
        )
        turn = Request(
            contracts.load(engine.contract), engine.name, Observed.of(claim), seen, NOW, make_password=lambda: "made-up"
        )
        given = compose(turn)
        wanted = {name: _found(world, one) for name, one in given.requirements.objects.items()}
        wanted |= {name: [Observed.of(found)] for name, found in (junk or {}).items() if name in wanted}
        probed = dict(given.requirements.told) | {kind.crd: True for kind in given.requirements.schemas}
        if wanted.keys() == required.keys() and probed == schemas:
            return given
        required, schemas = wanted, probed
    msg = f"{engine}: what is required never stands still"
    raise AssertionError(msg)


def _found(world: Iterable[Manifest], wanted: Requirement) -> list[Observed]:
    return [Observed.of(one) for one in world if _selects(wanted, one)]


def _selects(wanted: Requirement, one: Manifest) -> bool:
    labels = one["metadata"].get("labels", {})
    kind = one["kind"], one["apiVersion"].rpartition("/")[0]
    named = one["metadata"]["name"] == wanted.name if wanted.name else wanted.labels.items() <= labels.items()
    return named and kind == (wanted.kind.kind, wanted.kind.group)


def observed(given: Answer) -> dict[str, Manifest]:
    """Return what *given* desires, as it would be observed before any operator has touched it."""
    return {name: desired.manifest for name, desired in given.resources.items()}


def names(given: Answer) -> set[str]:
    """Return the composed names but the binding's, which is there once it is complete."""
    return set(given.resources) - {BINDING}


def signature(given: Answer) -> str:
    """Return all that a user could tell two answers apart by.

    The echo of the claim in status.effective is left out, and so is the mark by which a later answer knows how long
    backups were kept.
    """
    status = {key: value for key, value in given.status.items() if key not in {"effective", "observedGeneration"}}
    said = {kind: (verdict.status, verdict.reason, verdict.message) for kind, verdict in given.conditions.items()}
    objects = {name: _unmarked(manifest) for name, manifest in observed(given).items()}
    return json.dumps([objects, status, said, given.refusal, given.fatal], sort_keys=True, default=str)


def _unmarked(manifest: Manifest) -> Manifest:
    metadata = manifest["metadata"]
    kept = {key: value for key, value in metadata.get("annotations", {}).items() if key != RETENTION_DAYS}
    return {**manifest, "metadata": {**metadata, "annotations": kept}}
