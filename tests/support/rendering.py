"""A package, a claim and a function small enough to see through, for the tests of the render."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from crossplane.function.proto.v1 import run_function_pb2_grpc as grpcv1
from google.protobuf.json_format import MessageToDict

from groundplane.__main__ import main
from groundplane.crossplane import function_client
from groundplane.render import installed

Answer = Callable[[fnv1.RunFunctionRequest], fnv1.RunFunctionResponse]
Manifest = dict[str, Any]

XRD: Manifest = {
    "apiVersion": "apiextensions.crossplane.io/v2",
    "kind": "CompositeResourceDefinition",
    "metadata": {
        "name": "xdatabases.groundplane.dev",
        "labels": {"groundplane.dev/contract": "database"},
    },
    "spec": {
        "group": "groundplane.dev",
        "scope": "Namespaced",
        "names": {"kind": "XDatabase", "plural": "xdatabases"},
        "defaultCompositionRef": {"name": "xdatabase-cnpg"},
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "referenceable": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["version"],
                                "properties": {
                                    "version": {
                                        "type": "string",
                                        "x-kubernetes-validations": [
                                            {
                                                "rule": "int(self) >= int(oldSelf)",
                                                "message": "version can only rise",
                                            },
                                            {
                                                "rule": "int(self) >= 15",
                                                "message": "too old; use 15 or later",
                                            },
                                        ],
                                    },
                                    "tier": {"type": "string", "default": "Standard"},
                                },
                            },
                            "status": {
                                "type": "object",
                                "properties": {"engine": {"type": "string"}},
                            },
                        },
                    }
                },
            }
        ],
    },
}


def composition(engine: str = "cnpg", /, **spec: Any) -> Manifest:
    """Return a Composition of one step for *engine*."""
    step = {"step": "compose", "functionRef": {"name": "groundplane-function-database"}}
    return {
        "apiVersion": "apiextensions.crossplane.io/v1",
        "kind": "Composition",
        "metadata": {
            "name": f"xdatabase-{engine}",
            "labels": {"groundplane.dev/engine": engine, "groundplane.dev/provider": "kubernetes"},
        },
        "spec": {
            "mode": "Pipeline",
            "compositeTypeRef": {"apiVersion": "groundplane.dev/v1alpha1", "kind": "XDatabase"},
            "pipeline": [{**step, "input": {"engine": engine}}],
            **spec,
        },
    }


def claim(name: str = "orders", /, **spec: Any) -> Manifest:
    """Return an XDatabase."""
    return {
        "apiVersion": "groundplane.dev/v1alpha1",
        "kind": "XDatabase",
        "metadata": {"name": name},
        "spec": {"version": "17", **spec},
    }


def environment(name: str = "prod", engine: str = "rds") -> Manifest:
    """Return an environment that serves databases by *engine*."""
    return {
        "apiVersion": "apiextensions.crossplane.io/v1beta1",
        "kind": "EnvironmentConfig",
        "metadata": {"name": name},
        "data": {"engines": {"database": engine}},
    }


def one_cluster(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
    """Answer with a Cluster that is ready and a Secret that is not, for any engine."""
    spoken = MessageToDict(request)
    response = fnv1.RunFunctionResponse()
    name = spoken["observed"]["composite"]["resource"]["metadata"]["name"]
    engine = spoken["input"]["engine"]
    add(response, f"{engine}-1-cluster", f"{name}-db-1", ready=True)
    secret = response.desired.resources["binding"]
    secret.resource.update(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"{name}-db-binding"},
            "stringData": {"host": "db.example.org", "password": "open-sesame"},
        }
    )
    accept(response)
    return response


def add(response: fnv1.RunFunctionResponse, name: str, object_name: str = "", **more: Any) -> fnv1.Resource:
    """Add a Cluster to what *response* desires."""
    found = response.desired.resources[name]
    metadata = {"name": object_name} if object_name else {}
    kind = more.pop("kind", "Cluster")
    api_version = more.pop("api_version", "postgresql.cnpg.io/v1")
    if more.pop("ready", False):
        found.ready = fnv1.READY_TRUE
    found.resource.update({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": {}, **more})
    return found


def accept(response: fnv1.RunFunctionResponse) -> None:
    """Say that the claim is accepted."""
    response.conditions.append(
        fnv1.Condition(
            type="Accepted",
            status=fnv1.STATUS_CONDITION_TRUE,
            reason="Honoured",
            message="All of it.",
        )
    )


def refuse(message: str, *, fatal: bool, reason: str = "NotOffered") -> Answer:
    """Return an answer that refuses with *message*."""

    def answer(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        del request
        response = fnv1.RunFunctionResponse()
        response.conditions.append(
            fnv1.Condition(
                type="Accepted",
                status=fnv1.STATUS_CONDITION_FALSE,
                reason=reason,
                message=message,
            )
        )
        severity = fnv1.SEVERITY_FATAL if fatal else fnv1.SEVERITY_WARNING
        response.results.append(fnv1.Result(severity=severity, reason=reason, message=message))
        return response

    return answer


class Double(grpcv1.FunctionRunnerServiceServicer):
    """A function that answers with a callable and remembers what it was asked."""

    def __init__(self, answer: Answer = one_cluster) -> None:
        self.answer = answer
        self.requests: list[fnv1.RunFunctionRequest] = []

    async def RunFunction(  # noqa: N802  # the protocol's name
        self, request: fnv1.RunFunctionRequest, context: object
    ) -> fnv1.RunFunctionResponse:
        """Answer one request."""
        del context
        self.requests.append(request)
        return self.answer(request)


class Shell:
    """A folder with a package, and the command to run in it."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.double = Double()
        patch.chdir(folder)
        patch.setattr(installed, "_folder", lambda: folder / "package")
        patch.setattr(function_client, "make_runner", lambda _now: self.double)
        # Caches of their own, or what stands in this folder would be remembered by the tests that follow.
        patch.setattr(installed, "apis", cache(installed.apis.__wrapped__))
        patch.setattr(installed, "compositions", cache(installed.compositions.__wrapped__))
        self.write("package/apis/xdatabases.yaml", XRD)
        self.write("package/compositions/database/cnpg.yaml", composition())
        self.write("package/compositions/database/rds.yaml", composition("rds"))
        self.write("orders.yaml", claim())

    def write(self, name: str, *documents: Manifest | str) -> str:
        """Write *documents* to the file *name* and return the name."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("---\n".join(one if isinstance(one, str) else yaml.safe_dump(one) for one in documents))
        return name

    def render(self, *words: str, stdin: str | bytes = "") -> Result:
        """Run ``groundplane render`` with *words*; whatever happens, it must not be a traceback."""
        result = CliRunner().invoke(main, ["render", *words], input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result
