"""Commands that go on: what they show when something changes, and how they end."""

import json
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.machine import COMMAND_SECONDS, SOON, machine
from groundplane.cli import status
from groundplane.local.plane.home import Home
from standin_machine import StandIns, line


@pytest.fixture(scope="module")
def here() -> Iterator[StandIns]:
    """Return a machine with one claim."""
    with tempfile.TemporaryDirectory(prefix="gp-") as folder, machine(Path(folder), StandIns) as made:
        assert isinstance(made, StandIns)
        made.apply("orders")
        made.serves("orders")
        yield made


@pytest.fixture
def watching(here: StandIns) -> Iterator["subprocess.Popen[str]"]:
    """Return `groundplane status --watch`."""
    with here.begin("status", "--watch") as command:
        limit = threading.Timer(COMMAND_SECONDS, command.kill)
        limit.start()
        yield command
        limit.cancel()
        command.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watch_shows_a_change_plainly_and_ends_by_a_signal_with_0(
    here: StandIns, watching: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    assert watching.stdout
    name = f"shop-{number}"
    told = line(watching, "XDatabase orders")
    here.apply(name)
    told += line(watching, f"XDatabase {name}")
    watching.send_signal(number)
    told += watching.stdout.read()
    assert watching.wait(COMMAND_SECONDS) == 0
    assert "\x1b" not in told
    assert "Traceback" not in told


def seen(seconds: int, *states: str, pid: int = 7) -> dict[str, Any]:
    """Return what there is to see of a plane; its memory grows with the *seconds*."""
    programs = [
        {"kind": "Process", "name": "db", "state": state, "pid": pid, "memory": seconds * 2**20} for state in states
    ]
    claim = {
        "namespace": "team-a", "kind": "XDatabase", "name": "orders", "engine": "local", "told": "serving",
        "conditions": {}, "binding": "", "endpoints": [], "lastBackup": "", "programs": programs,
    }  # fmt: skip
    plane = {"pid": 1, "version": "1", "address": "", "seconds": seconds, "memory": seconds * 2**20, "folder": "/"}
    return {"plane": plane, "claims": [claim]}


def watched(monkeypatch: pytest.MonkeyPatch, *looks: dict[str, Any], clears: bool) -> None:
    """Watch for as long as there are *looks*."""
    left = iter(looks)
    monkeypatch.setattr(status, "see", lambda _: next(left))
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(StopIteration):
        status._watch(Home(Path("/")), status._json, clears=clears)


def test_watch_prints_again_only_what_is_more_than_time_and_memory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks = [seen(1, "BackOff"), seen(2, "BackOff"), seen(3, "Running"), seen(4, "Running"), seen(5, "Running", pid=8)]
    watched(monkeypatch, *looks, clears=False)
    assert capsys.readouterr().out == "".join(json.dumps(looks[number], indent=2) + "\n" for number in (0, 2, 4))


def test_watch_shows_every_look_in_the_same_place_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("click.echo", shown.append)
    watched(monkeypatch, seen(1), seen(2), clears=True)
    assert shown == [f"\x1b[H\x1b[J{status._json(seen(number))}" for number in (1, 2)]


def test_the_wait_that_the_documentation_names_returns_after_a_refused_change_and_after_its_way_back(
    here: StandIns,
) -> None:
    for wanted, told in (("cnpg", ("Synced=False",)), ("local", ("Synced=True", "Accepted"))):
        chosen = {"spec": {"crossplane": {"compositionRef": {"name": f"xdatabase-{wanted}"}}}}
        here.kubectl("patch", "xdatabase", "orders", "--type=merge", "-p", json.dumps(chosen))
        for one in told:
            here.kubectl("wait", "xdatabase/orders", f"--for=condition={one}", f"--timeout={SOON}s")
        accepted = next(one for one in here.claim()["status"]["conditions"] if one["type"] == "Accepted")
        assert (accepted["status"], accepted["reason"]) == {
            "cnpg": ("False", "SwapNotApproved"),
            "local": ("True", "Honoured"),
        }[wanted]
