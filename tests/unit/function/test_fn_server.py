"""The server around the function: protocols, sizes, health, certificates, and an orderly end."""

import asyncio
import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import CliRunner
from crossplane.function import runtime
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from crossplane.function.proto.v1 import run_function_pb2_grpc as grpcv1
from crossplane.function.proto.v1beta1 import run_function_pb2 as fnv1beta1
from crossplane.function.proto.v1beta1 import run_function_pb2_grpc as grpcv1beta1
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bareplane.waiting import PATIENCE_SECONDS
from groundplane.function import server
from groundplane.function.fn import FunctionRunner
from made_up import NOW
from outcomes import read
from worlds import fresh, ready

FUNCTIONS = Path(server.__file__).parents[2]
SLOW = """
import asyncio, sys
from groundplane.function import server
from groundplane.function.fn import FunctionRunner

class Slow(FunctionRunner):
    async def RunFunction(self, request, context):
        print("called", flush=True)
        await asyncio.sleep(1)
        return await super().RunFunction(request, context)

server.serve(Slow(), sys.argv[1], certificates=None, message_mib=4)
"""


@contextlib.asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[str]:
    """Serve the function on a port of its own and give its address."""
    runner = FunctionRunner(clock=lambda: NOW, make_password=lambda: "made")
    running, port = await server.start(runner, "127.0.0.1:0", **settings)
    try:
        yield f"localhost:{port}"
    finally:
        await server.stop(running)


def request_of_a_settled_claim() -> fnv1.RunFunctionRequest:
    world = ready()
    return world.request(world.ask().asked)


async def call(address: str, request: fnv1.RunFunctionRequest, channel: Any = None) -> fnv1.RunFunctionResponse:
    async with channel or grpc.aio.insecure_channel(address) as open_channel:
        stub = grpcv1.FunctionRunnerServiceStub(open_channel)
        response: fnv1.RunFunctionResponse = await stub.RunFunction(request, timeout=PATIENCE_SECONDS)
        return response


def test_both_versions_of_the_protocol_get_the_same_answer() -> None:
    async def both() -> None:
        request = request_of_a_settled_claim()
        async with serving() as address:
            new = await call(address, request)
            async with grpc.aio.insecure_channel(address) as channel:
                old_request = fnv1beta1.RunFunctionRequest.FromString(request.SerializeToString())
                stub = grpcv1beta1.FunctionRunnerServiceStub(channel)
                old = await stub.RunFunction(old_request, timeout=PATIENCE_SECONDS)
        assert read(new).ready
        assert fnv1.RunFunctionResponse.FromString(old.SerializeToString()) == new

    asyncio.run(both())


def test_a_message_of_ten_mebibytes_is_accepted_in_both_directions() -> None:
    async def large() -> None:
        request = request_of_a_settled_claim()
        request.desired.resources["notes"].resource.update({"data": "x" * (10 * 1024 * 1024)})
        async with serving() as address:
            options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
            response = await call(address, request, grpc.aio.insecure_channel(address, options=options))
        assert read(response).ready
        assert response.ByteSize() > 10 * 1024 * 1024

    asyncio.run(large())


def test_a_message_above_the_limit_is_refused_and_the_server_lives_on() -> None:
    async def too_large() -> None:
        request = request_of_a_settled_claim()
        request.observed.resources["notes"].resource.update({"data": "x" * (2 * 1024 * 1024)})
        async with serving(message_mib=1) as address:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(address, request)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            del request.observed.resources["notes"]
            assert read(await call(address, request)).ready

    asyncio.run(too_large())


@pytest.mark.parametrize("service", ["", server.SERVICE])
def test_the_health_service_says_serving(service: str) -> None:
    async def check() -> None:
        async with serving() as address, grpc.aio.insecure_channel(address) as channel:
            asked = health_pb2.HealthCheckRequest(service=service)
            found = await health_pb2_grpc.HealthStub(channel).Check(asked, timeout=PATIENCE_SECONDS)
        assert found.status == health_pb2.HealthCheckResponse.SERVING

    asyncio.run(check())


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as Crossplane mounts it, with a client's certificate beside it, and a stranger's."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificates, is not installed")
    folder = tmp_path_factory.mktemp("certificates")

    def run(*words: str) -> None:
        subprocess.run([openssl, *words], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for authority in ("ca", "stranger-ca"):
        subject = ("-subj", f"/CN={authority}", "-days", "2")
        run("req", "-x509", *key, "-keyout", f"{authority}.key", "-out", f"{authority}.crt", *subject)
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    for name, authority in (("tls", "ca"), ("client", "ca"), ("stranger", "stranger-ca")):
        run("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signer = ("-CA", f"{authority}.crt", "-CAkey", f"{authority}.key", "-CAcreateserial", "-days", "2")
        run("x509", "-req", "-in", f"{name}.csr", *signer, "-extfile", "names", "-out", f"{name}.crt")
    return folder


@pytest.mark.parametrize(("client", "welcome"), [("client", True), ("stranger", False), ("", False), ("plain", False)])
def test_only_a_caller_with_a_certificate_of_the_authority_is_served(
    certificates: Path, client: str, welcome: object
) -> None:
    def channel(address: str) -> Any:
        if client == "plain":
            return grpc.aio.insecure_channel(address)
        own = [(certificates / f"{client}.{part}").read_bytes() for part in ("key", "crt")] if client else [None, None]
        credentials = grpc.ssl_channel_credentials((certificates / "ca.crt").read_bytes(), *own)
        return grpc.aio.secure_channel(address, credentials)

    async def try_it() -> None:
        credentials = runtime.load_credentials(str(certificates))
        async with serving(credentials=credentials) as address:
            if welcome:
                assert read(await call(address, request_of_a_settled_claim(), channel(address))).ready
                return
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(address, request_of_a_settled_claim(), channel(address))
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE

    asyncio.run(try_it())


def test_an_address_that_is_taken_is_said_in_one_line() -> None:
    async def twice() -> None:
        async with serving() as address:
            port = address.rpartition(":")[2]
            with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}: it is taken"):
                await server.start(FunctionRunner(), f"127.0.0.1:{port}")

    asyncio.run(twice())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give --tls-certs-dir (or TLS_SERVER_CERTS_DIR), or --insecure"),
        (["--tls-certs-dir", "/nowhere/at/all"], "/nowhere/at/all/tls.crt"),
        (["--insecure", "--ttl", "0"], "--ttl"),
    ],
)
def test_bad_settings_are_said_without_a_traceback(words: list[str], said: str) -> None:
    result = CliRunner(env={"TLS_SERVER_CERTS_DIR": None}).invoke(server.command, words)
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit)
    assert said in result.output


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that serves a function which takes a second, and its address."""
    address = f"unix:{tmp_path}/socket"
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, address],
        env={"PYTHONPATH": str(FUNCTIONS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        yield process, address
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_finishes_the_call_under_way_and_ends(
    slow: tuple[subprocess.Popen[str], str], number: signal.Signals
) -> None:
    process, address = slow
    assert process.stdout
    assert "serving" in process.stdout.readline()
    with grpc.insecure_channel(address) as channel:
        stub = grpcv1.FunctionRunnerServiceStub(channel)
        under_way = stub.RunFunction.future(fresh().request(), timeout=PATIENCE_SECONDS)
        assert process.stdout.readline() == "called\n"
        process.send_signal(number)
        assert under_way.result().meta.tag == "a-tag"
    assert process.wait(PATIENCE_SECONDS) == 0
    assert "Traceback" not in process.stdout.read()
