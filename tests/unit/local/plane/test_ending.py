"""How a plane on this machine ends, and what others do meanwhile; database servers are scripts that cost nothing."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import click
import psutil
import pytest

from bareplane.waiting import eventually
from faults.machine import SOON, database, is_true, machine
from groundplane.local.host.client import Client, UnreachableError
from groundplane.local.host.folder_lock import hold
from groundplane.local.plane import run
from groundplane.local.plane.home import Home
from standin_machine import StandIns, line, said

# Ends when it was told to, and is let go.
KEPT = """
trap 'touch "$0.told"; while [ ! -e "$0.free" ]; do sleep 0.1; done; touch "$0.ended"; exit 0' INT
while :; do sleep 0.1; done
"""
MANY = 10


@pytest.fixture(scope="module")
def here() -> Iterator[StandIns]:
    """Return a machine with one claim, whose server takes a while to end."""
    with tempfile.TemporaryDirectory(prefix="gp-") as folder:
        kept = StandIns(Path(folder) / "home")
        kept.serve(KEPT)
        with machine(Path(folder), StandIns) as made:
            assert isinstance(made, StandIns)
            made.apply("orders")
            made.serves("orders")
            mark(made, "free").touch()
            yield made


def mark(here: StandIns, what: str) -> Path:
    """Return the file by which the server tells something, or is told."""
    return here.home.parent / "bin" / f"postgres.{what}"


@pytest.fixture
def kept(here: StandIns) -> Iterator[StandIns]:
    """Return the machine while its server does not end; it is let go afterwards, and the plane is up again."""
    for name in ("told", "free", "ended"):
        mark(here, name).unlink(missing_ok=True)
    yield here
    mark(here, "free").touch()
    here.up()
    here.serves("orders")


def answers(client: Client) -> bool:
    try:
        return client.get("/readyz") is not None
    except UnreachableError:
        return False


def test_up_and_a_second_down_wait_for_a_plane_that_is_ending(kept: StandIns) -> None:
    home, before = Home(kept.home), kept.status()["plane"]["pid"]
    first = kept.begin("down")
    eventually(lambda: home.ending() is not None, SOON)
    second, up = kept.begin("down"), kept.begin("up")
    try:
        line(up, f"waiting    for process {before}, which is ending the plane here")
        line(second, f"The plane, process {before}, is ending already")
        assert psutil.pid_exists(before)
    finally:
        mark(kept, "free").touch()
    assert "Ending the plane" in said(first)
    assert "was killed" not in said(second)  # it left the programs to the plane, which ends them in order
    assert "Serving after" in said(up)
    assert kept.status()["plane"]["pid"] != before


def test_a_folder_that_is_let_go_of_a_little_later_is_waited_for_unless_a_plane_runs_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    held = hold(tmp_path)
    later = threading.Timer(0.3, os.close, (held,))
    later.start()
    run._take(home, lambda _: None)
    later.join()
    home.enter()
    monkeypatch.setattr(run, "_LET_GO_SECONDS", 3600.0)  # it is refused at once, or the test never ends
    with pytest.raises(click.ClickException, match="another provider works"):
        run._take(home, lambda _: None)


def test_the_api_answers_until_the_last_program_has_ended(kept: StandIns) -> None:
    client, pid = Client.of(kept.home / "kubeconfig"), kept.status()["plane"]["pid"]
    os.kill(pid, signal.SIGTERM)
    eventually(mark(kept, "told").exists, SOON)
    assert answers(client)
    mark(kept, "free").touch()
    eventually(lambda: not answers(client), SOON)
    assert mark(kept, "ended").exists()
    eventually(lambda: not psutil.pid_exists(pid), SOON)


def test_a_plane_whose_provider_fails_ends_with_one_and_says_so(here: StandIns) -> None:
    here.down()
    site = here.home.parent / "site" / "sitecustomize.py"
    text = site.read_text()
    site.write_text(
        f"{text}"
        "    from groundplane.local.provider import supervisor\n"
        "    def broken(_):\n"
        "        raise RuntimeError('made up')\n"
        "    supervisor.Supervisor.sweep = broken\n"
    )
    plane = here.begin("up", "--foreground")
    told = plane.communicate(timeout=SOON)[0]
    assert plane.returncode == 1
    assert "RuntimeError: made up" in told
    assert "error the provider failed, see above, so the plane has ended." in told.splitlines()[-1]
    site.write_text(text)
    here.up()
    here.serves("orders")


def test_many_claims_in_the_middle_of_being_made_end_quickly_and_are_made_later() -> None:
    with tempfile.TemporaryDirectory(prefix="gp-") as folder, machine(Path(folder), StandIns) as many:
        names = [f"claim-{number}" for number in range(MANY)]
        many.kubectl.apply(*map(database, names))
        began = time.monotonic()
        many.down()
        assert time.monotonic() - began < SOON / 2
        assert many.processes() == []
        many.up()
        eventually(lambda: all(is_true(many.claim(name), "Ready") for name in names), SOON)
