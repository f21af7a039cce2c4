"""A database's claim on the embedded plane, with the real function over gRPC; the test plays the provider."""

import asyncio
import base64
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc.aio
import yaml
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from crossplane.function.proto.v1 import run_function_pb2_grpc as grpcv1

from bareplane.waiting import PATIENCE_SECONDS
from composed_plane import NAME, SPACE, THING, composition, definition, thing
from groundplane.core.manifest import JSON, Manifest, at
from groundplane.function.server import stop
from groundplane.kubernetes.status_errors import StatusError
from groundplane.local.apiserver import server
from groundplane.local.apiserver.authentication import OWNER
from groundplane.local.apiserver.registry.api import Api
from groundplane.local.plane import bootstrap
from groundplane.local.xr_controller.controller import reconciling
from scripted import makes_names

EXAMPLE = Path(__file__).resolve().parents[4] / "examples" / "database" / "local.yaml"
DATABASE = ("groundplane.dev/v1alpha1", "XDatabase")
LOCAL = "local.groundplane.dev/v1alpha1"


def apply(api: Api, manifest: Manifest) -> None:
    metadata = manifest["metadata"]
    place = metadata.get("namespace", ""), metadata["name"]
    kind = manifest["apiVersion"], manifest["kind"]
    api.apply(api.request(*kind, *place, manager="person", force=True, user=OWNER), manifest)


def find(api: Api, kind: tuple[str, str], namespace: str, name: str) -> Manifest:
    try:
        return api.get(api.request(*kind).resource, namespace, name)
    except StatusError:
        return {}


async def until(api: Api, holds: Callable[[], object]) -> None:
    """Return once *holds*, looking again after each change."""
    changed = asyncio.Event()
    cancel = api.subscribe(lambda _: changed.set())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():
                await changed.wait()
                changed.clear()
    finally:
        cancel()


def play(folder: Path, scenario: Callable[[Api], Awaitable[None]]) -> None:
    async def main() -> None:
        api = server.open_api(folder)
        await scenario(api)
        api.store.close()

    asyncio.run(main())


def condition(found: Manifest, kind: str) -> str:
    known = {one["type"]: one["status"] for one in at(found, "status", "conditions") or []}
    return str(known.get(kind, ""))


def say(api: Api, kind: str, name: str, status: Manifest) -> None:
    """Write the status of an object as the provider does."""
    generation: JSON = find(api, (LOCAL, kind), "team-a", name)["metadata"]["generation"]
    request = api.request(LOCAL, kind, "team-a", name, manager="provider")
    fine = {"status": "True", "reason": "Fine", "lastTransitionTime": api.now()}
    said = [{"type": one, **fine} for one in (("Ready", "Serving") if kind == "Process" else ("Succeeded",))]
    api.update_status(request, {"observedGeneration": generation, "conditions": said, **status})


def test_a_claim_is_composed_gets_ready_and_has_a_binding(tmp_path: Path) -> None:
    def composed(api: Api) -> dict[str, str]:
        references = at(find(api, DATABASE, "team-a", "orders"), "spec", "crossplane", "resourceRefs") or []
        return {one["name"]: one["kind"] for one in references}

    async def scenario(api: Api) -> None:
        for _ in bootstrap.install(api):
            pass
        labels = {"groundplane.dev/environment": "local"}
        apply(api, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a", "labels": labels}})
        with tempfile.TemporaryDirectory(prefix="gp-") as short:  # a socket's path has 107 letters at most
            async with reconciling(api, Path(short), ttl=60):
                apply(api, yaml.safe_load(EXAMPLE.read_text()))
                await until(api, lambda: "Process" in composed(api).values())
                kinds = composed(api)
                await until(api, lambda: all(find(api, (LOCAL, kind), "team-a", name) for name, kind in kinds.items()
                                             if kind in {"Process", "Task"}))  # fmt: skip
                assert sorted(kinds.values()) == ["Process", "Secret", "Task", "Task", "Task", "Task"]
                assert condition(find(api, DATABASE, "team-a", "orders"), "Ready") == "False"
                results = {"version": "17.5", "archiving": "Yes", "lastSuccessTime": api.now(),
                           "firstRecoverableTime": api.now()}  # fmt: skip
                for name, kind in kinds.items():
                    if kind == "Task":
                        say(api, kind, name, {"result": results})
                    elif kind == "Process":
                        say(api, kind, name, {"ports": [{"name": "primary", "number": 5432}], "authority": "PEM"})
                await until(api, lambda: condition(find(api, DATABASE, "team-a", "orders"), "Ready") == "True")
                binding = find(api, ("v1", "Secret"), "team-a", "orders-db-binding")
                assert base64.b64decode(binding["data"]["port"]) == b"5432"

    play(tmp_path, scenario)


class Maker(grpcv1.FunctionRunnerServiceServicer):
    """A function of another process, as far as a plane can tell."""

    async def RunFunction(  # noqa: N802  # gRPC's name
        self, request: fnv1.RunFunctionRequest, context: Any
    ) -> fnv1.RunFunctionResponse:
        """Answer."""
        del context
        return makes_names(request)


async def started(address: str) -> grpc.aio.Server:
    running = grpc.aio.server()
    grpcv1.add_FunctionRunnerServiceServicer_to_server(Maker(), running)
    running.add_insecure_port(address)
    await running.start()
    return running


def test_a_function_that_goes_and_comes_back_is_found_again(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        apply(api, definition())
        apply(api, composition())
        address = f"unix:{tmp_path}/f.sock"
        running = await started(address)
        async with reconciling(api, {"maker": address}):
            apply(api, thing(names=["a"], word="first"))
            await until(api, lambda: at(find(api, THING, SPACE, NAME), "status", "said") == "first")
            await stop(running)
            apply(api, thing(names=["a"], word="second"))
            await asyncio.sleep(0.1)  # whatever happens meanwhile, it is not known
            assert at(find(api, THING, SPACE, NAME), "status", "said") == "first"
            running = await started(address)
            await until(api, lambda: at(find(api, THING, SPACE, NAME), "status", "said") == "second")
        await stop(running)

    play(tmp_path / "plane", scenario)


def test_a_function_that_is_not_there_yet_is_waited_for_and_no_failure_is_told(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        apply(api, definition())
        apply(api, composition())
        address = f"unix:{tmp_path}/f.sock"
        async with reconciling(api, {"maker": address}):
            apply(api, thing(names=["a"], word="first"))
            await until(api, lambda: at(find(api, THING, SPACE, NAME), "spec", "crossplane", "compositionRef"))
            await asyncio.sleep(0.5)  # long enough for a call that does not wait to fail
            running = await started(address)
            await until(api, lambda: at(find(api, THING, SPACE, NAME), "status", "said") == "first")
        await stop(running)
        assert [one["message"] for one in api.store.objects("events") if one["type"] != "Normal"] == []

    play(tmp_path / "plane", scenario)
