"""A database on this machine, from the claim to the binding and away again, by our function and a played provider."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1

from admission_world import ANN, CLAIM, SECRET, Asking, born, refusal, spec
from composites_world import LISTENS, until
from groundplane.core.manifest import Manifest, at
from groundplane.fn import FunctionRunner
from groundplane.local.composites.controller import reconciling
from groundplane.local.composites.lookup import PlaneLookup
from groundplane.local.composites.reconcile import Reconciler
from groundplane.local.composites.tracker import Tracker
from groundplane.local.composites.writing import Writer
from groundplane.local.plane import collect
from groundplane.local.plane.api import Api
from groundplane.render.pipeline import Call
from plane_process import NOW, settle

LOCAL = "local.groundplane.dev/v1alpha1"
KINDS = {"Process": "processes.local.groundplane.dev", "Task": "tasks.local.groundplane.dev"}
SERVES: Manifest = {
    "Process": {"pid": 1, "ports": [{"name": "postgresql", "number": 40000}], "authority": "a certificate"},
    "Task": {"done": "digest", "result": {"version": "17.10"}, "lastSuccessTime": NOW},
}
SAYS = {"Process": "Ready", "Task": "Succeeded"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """Yield a plane with everything, and the claim orders of a person."""
    made = born(tmp_path / "s")
    Asking(made, ANN, dry_run=False).create(CLAIM, "orders", spec=spec())
    yield made
    made.store.close()


def play(api: Api) -> None:
    """Say of every Process and Task what the provider would once all is well; what is said already stays."""
    for kind, resource in KINDS.items():
        for one in api.store.objects(resource):
            metadata = one["metadata"]
            condition = {"type": SAYS[kind], "status": "True", "reason": "Played", "message": ""}
            status = {
                **SERVES[kind],
                "observedGeneration": metadata["generation"],
                "conditions": [{**condition, "lastTransitionTime": NOW}],
            }
            server = Asking(api, None, dry_run=False)
            server.patch((LOCAL, kind), metadata["name"], {"status": status}, subresource="status")


def find(api: Api, kind: tuple[str, str], name: str) -> Manifest:
    return api.get(api.request(*kind).resource, "default", name)


def said(api: Api) -> dict[str, tuple[str, str]]:
    """Return the conditions of the claim: status and reason."""
    found = at(find(api, CLAIM, "orders"), "status", "conditions") or []
    return {one["type"]: (one["status"], one["reason"]) for one in found}


async def acting(api: Api, *acts: Callable[[Api], object]) -> AsyncIterator[None]:
    """Let everybody else act, for ever."""
    while True:
        for act in acts:
            act(api)
        await asyncio.sleep(0.02)
        yield


async def _play_on(api: Api) -> None:
    async for _ in acting(api, play, collect.settle):
        pass


def test_a_claim_comes_to_its_binding_and_goes_with_everything(api: Api) -> None:
    async def lives() -> None:
        async with reconciling(api):
            provider = asyncio.create_task(_play_on(api))
            await until(lambda: said(api)["Ready"][0] == "True")
            assert said(api)["Synced"] == ("True", "ReconcileSuccess")
            claim = find(api, CLAIM, "orders")
            binding = find(api, SECRET, claim["status"]["binding"]["name"])
            told = {key: base64.b64decode(value).decode() for key, value in binding["data"].items()}
            assert (told["port"], told["certificates"], told["type"]) == ("40000", "a certificate", "postgresql")
            assert told["password"] in told["uri"]
            await until(lambda: at(find(api, CLAIM, "orders"), "status", "deletion", "inForce") == "Delete")
            Asking(api, ANN, dry_run=False).delete(CLAIM, "orders")
            await until(lambda: not [*api.store.objects("xdatabases.groundplane.dev"), *composed(api)])
            provider.cancel()
            await asyncio.gather(provider, return_exceptions=True)

    asyncio.run(lives())


def composed(api: Api) -> list[Manifest]:
    """Return all that any claim is composed of."""
    kinds = (*KINDS.values(), "secrets")
    return [one for name in kinds for one in api.store.objects(name) if one["metadata"].get("ownerReferences")]


class Counted:
    """Our function, with how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0
        self._runner: Any = FunctionRunner()

    async def __call__(self, call: Call) -> fnv1.RunFunctionResponse:
        self.calls += 1
        found: fnv1.RunFunctionResponse = await self._runner.RunFunction(call.request, None)
        return found


def test_a_settled_claim_takes_one_call_a_round_and_moves_nothing_however_often_it_is_asked(api: Api) -> None:
    ask, writer = Counted(), Writer(api)
    reconciler = Reconciler(writer, PlaneLookup(api), Tracker(), ask, lambda *_: None)
    resource = api.request(*CLAIM).resource

    def turn() -> float | None:
        after = asyncio.run(reconciler.reconcile(resource, resource.key("default", "orders"), LISTENS))
        assert not after.failed, said(api)
        return after.seconds

    for _ in range(20):
        before = api.store.version
        turn()
        play(api)
        settle(api)
        if api.store.version == before:
            break
    assert said(api)["Ready"][0] == "True"
    version, ask.calls = api.store.version, 0
    rounds = [turn() for _ in range(3)]
    assert all(rounds)
    assert api.store.version == version
    assert ask.calls == 3


def test_nobody_but_the_plane_touches_what_holds_the_data_of_a_claim(api: Api) -> None:
    reconciler = Reconciler(Writer(api), PlaneLookup(api), Tracker(), Counted(), lambda *_: None)
    resource = api.request(*CLAIM).resource
    for _ in range(4):
        asyncio.run(reconciler.reconcile(resource, resource.key("default", "orders"), LISTENS))
        play(api)
    guarded = [one for one in composed(api) if one["metadata"]["labels"].get("groundplane.dev/guarded") == "true"]
    assert guarded
    for one in guarded:
        kind = (one["apiVersion"], one["kind"])
        name = one["metadata"]["name"]
        assert "groundplane-guarded" in str(refusal(lambda kind=kind, name=name: Asking(api).delete(kind, name)))  # type: ignore[misc]  # The loop's own.
