"""No secret leaves the function but inside the data of a Secret it composes, whatever happens to a claim."""

import asyncio
import base64
import logging as stdlib_logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import grpc
import pytest
import structlog
from crossplane.function import logging
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from crossplane.function.proto.v1 import run_function_pb2_grpc as grpcv1
from google.protobuf import json_format

from groundplane.compose.compose import compose
from groundplane.engines.database import _postgresql as postgresql
from groundplane.function import fn, server
from groundplane.function.fn import FunctionRunner
from made_up import NOW, encoded, key_of
from outcomes import plain, read
from worlds import World, ready

LOGIN = "login-Pa55/w+rd&=%"
HANDED_OUT = [LOGIN]  # in the composed Secrets, where it belongs
KEPT = [
    "binding-Pa55-of-another-day",
    "ca-key-Pa55",
    "AKIA-Pa55-access",
    "backup-Pa55-secret",
    "master-Pa55",
    "made-Pa55",
]

Captured = Callable[[], str]


@pytest.fixture(params=["debug", "production"])
def captured(
    request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Iterator[Captured]:
    """Everything that was written anywhere: both streams, and every handler of the standard library."""
    logging.configure(logging.Level.DEBUG if request.param == "debug" else logging.Level.INFO)
    caplog.set_level(stdlib_logging.DEBUG)
    yield lambda: "\n".join([*capfd.readouterr(), caplog.text])
    structlog.reset_defaults()


def forms(secret: str) -> set[str]:
    """Return the ways in which *secret* could be written."""
    hidden = base64.b64encode(secret.encode()).decode()
    return {secret, hidden, hidden.rstrip("="), quote(secret, safe=""), repr(secret)[1:-1], secret[:12]}


def leaks(text: str, secrets: list[str]) -> list[str]:
    return [secret for secret in secrets if any(form in text for form in forms(secret))]


def settled() -> World:
    """A claim that is served, with a secret in everything that the function is told of."""
    world = ready()
    world.environment(backup={"bucket": "acme-backups", "region": "eu-central-1", "credentials": "WorkloadIdentity"})
    world.of("cnpg-1-secret-a")["data"] = encoded(username="app_login_a", password=LOGIN)
    world.reconcile()
    world.of("binding")["data"] |= encoded(password=KEPT[0])
    world.objects["Secret.", "orders-db-1-ca"]["data"]["ca.key"] = encoded(x=KEPT[1])["x"]
    master = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "master"}, "data": encoded(password=KEPT[4])}
    world.put(master)
    world.composed["another-step"] = key_of(master)
    return world


def request_of(world: World) -> fnv1.RunFunctionRequest:
    request = world.request(world.ask().asked)
    keys = {"access-key-id": encoded(x=KEPT[2])["x"], "secret-access-key": encoded(x=KEPT[3])["x"]}
    for name in ("backup-credentials", "unasked"):
        found = request.required_resources[name].items.add().resource
        json_format.ParseDict({"apiVersion": "v1", "kind": "Secret", "data": keys}, found)
    request.observed.resources["another-step"].connection_details["password"] = KEPT[4].encode()
    return request


def call(request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
    """Ask through the real server, so that what it writes is seen as well."""

    async def ask() -> fnv1.RunFunctionResponse:
        runner = FunctionRunner(clock=lambda: NOW, make_password=lambda: KEPT[5])
        running, port = await server.start(runner, "127.0.0.1:0")
        try:
            async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
                response: fnv1.RunFunctionResponse = await grpcv1.FunctionRunnerServiceStub(channel).RunFunction(
                    request
                )
                return response
        finally:
            await server.stop(running)

    return asyncio.run(ask())


def check(response: fnv1.RunFunctionResponse, written: str) -> None:
    """Return if no secret is anywhere but in the data of a composed Secret, and the kept ones not even there."""
    assert leaks(written, [*HANDED_OUT, *KEPT]) == []
    assert leaks(str(plain(response)), KEPT) == []
    outside = fnv1.RunFunctionResponse()
    outside.CopyFrom(response)
    for one in outside.desired.resources.values():
        if one.resource.fields["kind"].string_value == "Secret":
            del one.resource.fields["data"]
    assert leaks(str(plain(outside)), HANDED_OUT) == []


def unchanged(_world: World) -> None:
    pass


def changed(**spec: Any) -> Callable[[World], None]:
    def spoil(world: World) -> None:
        world.claim["spec"] |= spec

    return spoil


def another_engine(world: World) -> None:
    world.engine = "abacus"


def backup_keys_asked(world: World) -> None:
    world.environment(backup={"bucket": "acme-{namespace}", "credentials": "keys"})


def without_the_data(world: World) -> None:
    world.objects.pop(world.composed.pop("cnpg-1-cluster"))


def login_gone(world: World) -> None:
    world.objects.pop(world.composed.pop("cnpg-1-secret-a"))
    world.of("binding")["metadata"]["annotations"]["groundplane.dev/claim-uid"] = "earlier"


def stranger(world: World) -> None:
    world.composed.pop("cnpg-1-secret-a")
    world.objects["Secret.", "orders-db-1-login-a"]["metadata"]["labels"] = {}


def renamed(world: World) -> None:
    world.of("cnpg-1-secret-a")["metadata"]["name"] = "renamed"


def not_base64(world: World) -> None:
    for key in [key for key in world.objects if key[0] == "Secret."]:
        world.objects[key]["data"] = {"password": LOGIN, "ca.crt": KEPT[1], "username": KEPT[0]}


def data_a_string(world: World) -> None:
    for key in [key for key in world.objects if key[0] == "Secret."]:
        world.objects[key]["data"] = LOGIN


def secret_in_a_condition_of_crossplane(world: World) -> None:
    world.claim["status"]["conditions"] = [
        {"type": "Synced", "status": "False", "reason": "ReconcileError", "message": KEPT[4]},
        {"type": "Serving", "status": "Unknown", "reason": "FatalError", "message": KEPT[4]},
    ]


CASES = [
    (unchanged, ""),
    (changed(version="14"), "NotOffered"),
    (changed(tier="Development"), "UnsafeChange"),
    (changed(version=5), "NotOffered"),
    (another_engine, "NotOffered"),
    (backup_keys_asked, "WouldLoseData"),
    (without_the_data, "WouldLoseData"),
    (login_gone, "WouldLoseData"),
    (stranger, "NameTaken"),
    (renamed, "WouldLoseData"),
    (not_base64, "WouldLoseData"),
    (data_a_string, "WouldLoseData"),
    (secret_in_a_condition_of_crossplane, ""),
]


@pytest.mark.parametrize(
    ("spoil", "reason"), CASES, ids=[f"{number}-{spoil.__name__}" for number, (spoil, _) in enumerate(CASES)]
)
def test_no_secret_is_in_a_log_a_status_an_event_a_condition_or_the_context(
    captured: Captured, spoil: Callable[[World], None], reason: str
) -> None:
    world = settled()
    spoil(world)
    response = call(request_of(world))
    written = captured()
    assert read(response).reason == reason
    assert "answered" in written, "something must be logged for its absence to mean anything"
    check(response, written)


@pytest.mark.parametrize("where", ["compose", "encode", "binding", "login_secret"])
@pytest.mark.parametrize("error", [RuntimeError, KeyError, UnicodeDecodeError])
def test_an_exception_that_quotes_a_secret_does_not_carry_it_out(
    captured: Captured, monkeypatch: pytest.MonkeyPatch, where: str, error: type[Exception]
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        password = LOGIN + KEPT[3]
        if error is UnicodeDecodeError:
            raise UnicodeDecodeError("ascii", password.encode(), 0, 1, password)
        raise error(password)

    request = request_of(settled())
    monkeypatch.setattr(fn if where in {"compose", "encode"} else postgresql, where, broken)
    response = call(request)
    written = captured()
    assert read(response).fatal
    assert error.__name__ in written
    check(response, written)


def test_a_ready_claim_hands_its_login_out_in_the_data_of_its_secrets(captured: Captured) -> None:
    response = call(request_of(settled()))
    assert leaks(str(plain(response)), HANDED_OUT) == HANDED_OUT
    check(response, captured())


def test_a_secret_in_a_message_or_a_log_would_be_seen(captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    response = call(request_of(settled()))
    response.results.add(message=f"the password is {LOGIN}")
    with pytest.raises(AssertionError):
        check(response, captured())
    monkeypatch.setattr(fn, "compose", lambda _turn: structlog.get_logger().info("x", password=LOGIN))
    response = call(request_of(settled()))
    with pytest.raises(AssertionError):
        check(response, captured())


def test_nothing_that_holds_a_secret_shows_it_when_it_is_printed() -> None:
    world = settled()
    turn = replace(world.turn(world.ask().asked), make_password=str)
    answer = compose(turn)
    assert "binding" in answer.resources
    assert leaks(repr(turn) + repr(answer), [*HANDED_OUT, *KEPT]) == []
