"""A password chosen by hand is the same for the server, whoever sets it there, and for the binding: on every engine."""

import base64
from collections.abc import Callable
from dataclasses import replace

import pytest

import local_claims
import worlds
from groundplane.core.binding import RESOURCE
from made_up import Manifest, decoded
from rds_claims import EVERYTHING
from rds_claims import World as RdsWorld

Asked = Callable[[bytes, bool], tuple[str, str] | str]
"""Takes what somebody wrote, and whether only the binding is left of it; returns what the login's Secret and the
binding hold then, or why the claim is refused."""


def written(text: bytes) -> Manifest:
    entries = {"username": b"app_login_a", "password": text}
    return {key: base64.b64encode(value).decode() for key, value in entries.items()}


def one_of(ready: Callable[[], worlds.World], role: str) -> Asked:
    def asked(text: bytes, lost: bool) -> tuple[str, str] | str:  # noqa: FBT001  # Called by position, everywhere alike.
        world = ready()
        if lost:
            world.of(RESOURCE)["data"] |= written(text)
            world.objects.pop(world.composed.pop(role))
        else:
            world.of(role)["data"] = written(text)
        outcome = world.ask()
        if outcome.fatal:
            return outcome.message
        return decoded(outcome.resources[role])["password"], decoded(outcome.resources[RESOURCE])["password"]

    return asked


def rds(text: bytes, lost: bool) -> tuple[str, str] | str:  # noqa: FBT001  # As above.
    world: RdsWorld = EVERYTHING.served().bind()
    if lost:
        world.objects[RESOURCE]["data"] |= written(text)
        del world.objects["rds-1-secret-a"]
    else:
        world.object("secret-a")["data"] = written(text)
    seen = replace(world.seen(), required={"rds-1-secret-a": [], RESOURCE: []})  # it was looked for
    said = EVERYTHING.refused(seen)
    if said != "not refused":
        return said
    rendered = EVERYTHING.render(seen)
    assert rendered.binding
    return decoded(rendered.resources["rds-1-secret-a"].manifest)["password"], rendered.binding.entries["password"]


ENGINES = {
    "cnpg": one_of(worlds.ready, "cnpg-1-secret-a"),
    "local": one_of(local_claims.ready, "local-1-secret-a"),
    "rds": rds,
}
WRITTEN = {
    b"made-up\n": "made-up",
    b"made-up\r\n": "made-up",
    b"made-up\n\n": "made-up",
    b"made-up\r": "made-up",
    b" \n made up \n": " \n made up ",
    b"\tin\nner ": "\tin\nner ",
    "ü日本 '\"\\$%:@/ ".encode(): "ü日本 '\"\\$%:@/ ",
}
NONE = [b"\n", b"\r\n", b"", b"\xff\xfe", b"made\0up"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("lost", [False, True], ids=["in the Secret", "in the binding alone"])
@pytest.mark.parametrize("text", WRITTEN)
def test_a_password_is_without_its_last_line_breaks_for_all(engine: str, text: bytes, *, lost: bool) -> None:
    assert ENGINES[engine](text, lost) == (WRITTEN[text], WRITTEN[text])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("lost", [False, True], ids=["in the Secret", "in the binding alone"])
@pytest.mark.parametrize("text", NONE)
def test_what_is_no_password_is_refused_in_words(engine: str, text: bytes, *, lost: bool) -> None:
    said = ENGINES[engine](text, lost)
    assert isinstance(said, str)
    assert "Secret orders-db-1-login-a has no entry password that PostgreSQL takes" in said
