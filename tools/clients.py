"""Connect real clients by the binding of a real database, and write docs/bindings.md's table: `make clients`.

Words choose clients by name, such as ARGS='pgx psycopg'. Libraries come from the languages' own registries, pinned.
"""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import demo
from boundclients import building, mounts, page, running
from boundclients.catalogue import BINDING, CLIENTS, Client

WORKERS = 2  # a client waits and works by turns


def main(words: list[str]) -> int:
    """Run the clients and return 0 when all of them passed, or were skipped with the reason."""
    unknown = set(words) - {client.name for client in CLIENTS}
    if unknown:
        print(f"clients: there is no client {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    chosen = [client for client in CLIENTS if not words or client.name in words]
    lacking = {name: why for name, family in building.FAMILIES.items() if (why := family.lacks())}
    for client in chosen:
        if client.family in lacking:
            print(f"clients: {client.name}: skipped: {lacking[client.family]}")
    running_here = [client for client in chosen if client.family not in lacking]
    if not running_here:
        print("clients: skipped: none of them can run here")
        return 0
    broken = unbuilt(running_here)
    try:
        results, failures = connected([client for client in running_here if client.name not in broken])
    except demo.DemoError as error:
        print(f"clients: {error}", file=sys.stderr)
        return 1
    failures |= broken
    print(f"{len(results)} passed, {len(failures)} failed, {len(chosen) - len(running_here)} skipped")
    if failures:
        return 1
    if page.write({name: seen for name, seen in results.items() if seen == running.WHOLE}):
        print(f"clients: the table of {page.PAGE.name} was stale and is new now; review and commit it", file=sys.stderr)
        return 1
    return 0


def unbuilt(clients: list[Client]) -> dict[str, str]:
    """Build what *clients* need, and return why those that cannot be built cannot, by name."""
    failures: dict[str, str] = {}
    for family in dict.fromkeys(client.family for client in clients):
        began = time.monotonic()
        try:
            building.built(family)
            print(f"clients: {family} is built, {time.monotonic() - began:.0f} s", flush=True)
        except building.BuildError as error:
            print(f"clients: {family} cannot be built: {error}", flush=True)
            failures |= dict.fromkeys((client.name for client in clients if client.family == family), str(error))
    return failures


def connected(clients: list[Client]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what each client was seen to do, and what those did that failed, by name."""
    results: dict[str, str] = {}
    failures: dict[str, str] = {}
    with database() as (shell, folder), contextlib.ExitStack() as stack:
        entries = binding(shell)
        port = stack.enter_context(mounts.forwarded(entries))
        if port is None:
            print(f"clients: another host: skipped: this machine has no {mounts.OTHER_HOST}")
        given = running.Mounts(
            mounts.mount(folder / "right", entries),
            mounts.mount(folder / "another-authority", mounts.of_another_authority(entries)),
            mounts.mount(folder / "another-host", mounts.of_another_host(entries, port)) if port else None,
            (str(demo.BIN / "groundplane"), "exec", f"xdb/{BINDING}", "-n", demo.TEAM, "--"),
            {"GROUNDPLANE_HOME": str(folder / "plane")},
            entries["password"],
        )

        def run(client: Client) -> str:
            home = folder / f"home-{client.name}"
            home.mkdir()
            kept = {key: text for key, text in entries.items() if key not in client.leave_out}
            smaller = mounts.mount(folder / f"for-{client.name}", kept) if client.leave_out else None
            return running.result(client, given, home, smaller)

        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(WORKERS))
        futures = {pool.submit(run, client): client.name for client in clients}
        for future in concurrent.futures.as_completed(futures):
            name = futures[future]
            try:
                results[name] = future.result()
                print(f"clients: {name}: {results[name]}", flush=True)
            except running.ClientError as error:
                failures[name] = str(error)
                print(f"clients: {name}: FAILED: {error}", flush=True)
        lost = set(results) - set(sql(shell, "SELECT client FROM written").split())
        failures |= dict.fromkeys(lost, "what it wrote is not there")
        for name in lost:
            print(f"clients: {name}: FAILED: {failures[name]}, and it said: {results.pop(name)}")
    return results, failures


@contextlib.contextmanager
def database() -> Iterator[tuple[demo.Shell, Path]]:
    """Start a plane with one claim, and return what talks to it and a folder that goes with it."""
    home = Path(tempfile.mkdtemp(prefix="groundplane-"))
    shell = demo.Shell(home / "plane")
    try:
        shell.run("groundplane up")
        shell.run(f"kubectl create namespace {demo.TEAM}")
        shell.run("kubectl apply -f -", demo.CLAIM_OF.format(name=BINDING))
        wait = f"--for=condition=Serving --timeout={demo.WAIT_SECONDS}s"
        shell.run(f"kubectl -n {demo.TEAM} wait xdb/{BINDING} {wait}")
        sql(shell, "CREATE TABLE written (client text)")
        yield shell, home
    finally:
        with contextlib.suppress(demo.DemoError):
            shell.run("groundplane down")
        shutil.rmtree(home)


def binding(shell: demo.Shell) -> dict[str, str]:
    """Return the entries of the binding, as a Secret has them."""
    text = shell.run(f"kubectl -n {demo.TEAM} get secret {BINDING}-db-binding -o json")
    return {key: base64.b64decode(value).decode() for key, value in json.loads(text)["data"].items()}


def sql(shell: demo.Shell, statement: str) -> str:
    """Return what the database answers its application."""
    return shell.run(f"groundplane exec xdb/{BINDING} -n {demo.TEAM} -- psql -qAtc '{statement}'")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
