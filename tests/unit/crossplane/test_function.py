"""The function is reached by gRPC through the real server, and its failures are told apart."""

import asyncio
import collections.abc
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import grpc
import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf.json_format import MessageToDict

from bareplane.waiting import PATIENCE_SECONDS
from groundplane.crossplane import function_client
from groundplane.function import server
from groundplane.render import FunctionError, UnservedError, reconcile, serving
from rendering import Double, Shell, claim, composition


def test_a_real_server_is_called_and_gone_afterwards() -> None:
    double = Double()
    with serving(double) as call:
        outcome = reconcile(claim(), composition(), function=call)
    assert outcome.iterations == len(double.requests) == 1
    xr = MessageToDict(double.requests[0].observed.composite.resource)
    assert xr["metadata"]["labels"] == {"crossplane.io/composite": "orders"}
    with pytest.raises(ValueError, match="closed channel"):
        call(fnv1.RunFunctionRequest())


def test_a_function_that_breaks_is_said_to_be_broken_and_its_words_are_not_repeated(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        raise KeyError("open-sesame")

    with serving(Double(broken)) as call, pytest.raises(FunctionError) as caught:
        reconcile(claim(), composition(), function=call)
    assert "a bug of the function" in str(caught.value)
    assert "open-sesame" not in str(caught.value)
    assert "open-sesame" not in "".join([*capfd.readouterr(), caplog.text])


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where the function has been served."""
    found: list[str] = []
    start = function_client.start_server

    async def noted(runner: Any, address: str) -> Any:
        found.append(address)
        return await start(runner, address)

    monkeypatch.setattr(function_client, "start_server", noted)
    return found


def test_a_connection_that_outlives_the_last_call_ends_without_a_word(
    addresses: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """A caller lets go of its connection in a thread of gRPC, which a busy machine may run after the server's end."""
    gone = threading.Event()
    ready = threading.Event()

    def heard(state: grpc.ChannelConnectivity) -> None:
        if state is grpc.ChannelConnectivity.READY:
            ready.set()
        elif ready.is_set():
            gone.set()

    with serving(Double()) as call:
        late = grpc.insecure_channel(addresses[0], options=[("grpc.use_local_subchannel_pool", 1)])
        late.subscribe(heard, try_to_connect=True)
        assert ready.wait(PATIENCE_SECONDS)
        reconcile(claim(), composition(), function=call)
    assert gone.wait(PATIENCE_SECONDS)
    late.close()
    assert capfd.readouterr().err == ""


class Compiled(collections.abc.Coroutine[Any, None, None]):
    """A coroutine that was not written in Python, as gRPC's are not."""

    def __init__(self, inner: Generator[Any, None, None]) -> None:
        self.inner = inner

    def __await__(self) -> Generator[Any, None, None]:
        return self.inner

    def send(self, value: Any) -> Any:
        return self.inner.send(value)

    def throw(self, *words: Any) -> Any:
        return self.inner.throw(*words)

    def close(self) -> None:
        self.inner.close()


def test_the_end_of_a_server_waits_for_what_grpc_has_still_to_hear_of_a_call() -> None:
    """What comes for a loop that is closed is an error in the next one, such as that of the next render."""

    async def play() -> bool:
        running, _port = await server.start(Double(), "127.0.0.1:0")  # type: ignore[arg-type]  # a function as well
        told = asyncio.get_running_loop().create_future()
        late = asyncio.get_running_loop().create_task(Compiled(told.__await__()))
        asyncio.get_running_loop().call_later(0.2, told.set_result, None)
        await server.stop(running)
        return late.done()

    assert asyncio.run(play())


def test_what_grpc_does_for_a_call_is_known_while_the_call_runs() -> None:
    class Looking(Double):
        found = 0

        async def RunFunction(  # noqa: N802  # the protocol's name
            self, request: fnv1.RunFunctionRequest, context: object
        ) -> fnv1.RunFunctionResponse:
            self.found = len(server._calls())
            return await super().RunFunction(request, context)

    looking = Looking()
    with serving(looking) as call:
        reconcile(claim(), composition(), function=call)
    assert looking.found >= 2  # the call itself, and that which hears of the caller's end


@pytest.mark.parametrize("name", ["a b", "a%20b", "a#b", "a?b", "ä"])
def test_a_folder_may_have_any_letter(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", name)  # as short as that, whatever this test's folder is
    with serving(Double()) as call:
        assert reconcile(claim(), composition(), function=call).iterations == 1


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("x" * 100, "too long for the function's socket, whose path would have"),
        ("missing", "no folder for the function's socket: No such file or directory"),
    ],
)
def test_a_folder_that_cannot_have_the_socket_is_one_line_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, said: str
) -> None:
    shell = Shell(tmp_path, monkeypatch)
    (tmp_path / ("x" * 100)).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / folder))
    result = shell.render("orders.yaml")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert said in result.stderr
    assert result.stderr.endswith("; set TMPDIR to another folder\n")
    assert result.stderr.count("\n") == 1


def test_an_address_that_cannot_be_had_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_client, "address_of", lambda _socket: "unix:/missing/function.sock")
    with pytest.raises(UnservedError, match=r"cannot listen on .*; set TMPDIR to another folder"), serving(Double()):
        pass


STUCK = """
import threading
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from groundplane.crossplane import function_client as function
from groundplane.render import RenderError
from rendering import Double

never = threading.Event()
try:
    with function.serving(Double(lambda _: never.wait())) as call:
        function.SECONDS = 1.0
        try:
            call(fnv1.RunFunctionRequest())
        except RenderError as error:
            print(error)
except RenderError as error:
    print(error)
"""


def test_a_function_that_never_answers_is_said_to_be_slow_and_does_not_hold_the_end() -> None:
    """In a process of its own: what never ends is never gone."""
    around = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-c", STUCK]
    done = subprocess.run(words, env=around, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    slow, stuck = done.stdout.splitlines()
    assert slow.startswith("the function did not answer within 1 s, which is as long as Crossplane waits.")
    assert stuck.startswith(
        "the function's server neither began nor ended within 1 s: a call of the function never ends"
    )
    assert (done.returncode, done.stderr) == (0, "")
