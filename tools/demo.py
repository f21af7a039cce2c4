"""A claim's life on this machine: a real PostgreSQL, its backup, a table brought back, a swap refused; `make demo`.

Everything happens in a folder of its own and ends with this process: the plane, the servers, the data.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg

import shown

BIN = Path(sys.executable).parent
CLAIM = "examples/claims/development.yaml"
TEAM, NAME = "team-a", "orders"
WAIT_SECONDS = 90
_WIDTH = 100
CLAIM_OF = """\
apiVersion: groundplane.dev/v1alpha1
kind: XDatabase
metadata: {{name: {name}, namespace: team-a}}
spec:
  version: "17"
  tier: Development
  storage: {{size: 1Gi}}
"""


class DemoError(Exception):
    """The message says which command failed, and what it said."""


class Shell:
    """Commands as a person types them, in an environment of their own, each shown before what it prints."""

    def __init__(self, home: Path) -> None:
        """Let every command find the plane in *home*."""
        self._environment = {
            **os.environ,
            "GROUNDPLANE_HOME": str(home),
            "KUBECONFIG": str(home / "kubeconfig"),
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        }

    def show(self, command: str, stdin: str = "") -> str:
        """Print *command* and what it prints, and return that.

        Raises:
            DemoError: it failed.
        """
        print(f"$ {command}", flush=True)
        text = self.run(command, stdin)
        print(textwrap.indent(text.rstrip(), "    "), flush=True)
        return text

    def run(self, command: str, stdin: str = "") -> str:
        """Return what *command* prints.

        Raises:
            DemoError: it failed.
        """
        done = subprocess.run(
            shlex.split(command),
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=2 * WAIT_SECONDS,
            check=False,
        )
        if done.returncode:
            raise DemoError(f"{command}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout


def main() -> int:
    """Tell the story and return 0 when all of it came true."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]  # of another database
    began = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="groundplane-"))
    try:
        with plane(home) as shell:
            serve(shell)
            bring_back(shell)
            swap(shell)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(home)
    head("The same claims in the clouds, rendered offline")
    print("\n".join(shown.lines()))
    print(f"\nAll of it took {time.monotonic() - began:.1f} s, and nothing of it runs any more.")
    print("Your own: .venv/bin/groundplane up, and then README.md, Five minutes.")
    return 0


@contextlib.contextmanager
def plane(home: Path) -> Iterator[Shell]:
    """Start a plane and end it, whatever happens meanwhile."""
    shell = Shell(home)
    head("A plane on this machine, and a real PostgreSQL")
    try:
        shell.show("groundplane up")
        yield shell
        head("Everything ends")
        shell.show("groundplane down")
    except DemoError:
        with contextlib.suppress(DemoError):
            shell.show("groundplane status")  # says what the claim that did not come waits for
        raise
    finally:
        with contextlib.suppress(DemoError):
            shell.run("groundplane down")


def serve(shell: Shell) -> None:
    """Apply a claim, write a row through its binding, and read it again."""
    shell.show(f"kubectl create namespace {TEAM}")
    apply(shell, NAME)
    with connected(shell, NAME) as application:
        application.execute("CREATE TABLE customers AS SELECT generate_series(1, 1000) AS number")
        (count,) = application.execute("SELECT count(*) FROM customers").fetchone() or (0,)
        encrypted = "TLS" if application.pgconn.ssl_in_use else "no TLS"
        user = application.info.user
    print(f"  An application wrote {count} rows through its binding and read them again, as {user}, by {encrypted}.")


def bring_back(shell: Shell) -> None:
    """Drop a table by mistake, and bring it back in a copy."""
    head("A table dropped by mistake, and brought back")
    shell.show(f"kubectl -n {TEAM} wait xdb/{NAME} --for=condition=BackupCurrent --timeout={WAIT_SECONDS}s")
    shell.show(f"kubectl -n {TEAM} get xdb")
    time.sleep(1.1)  # moments have whole seconds
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    time.sleep(1.1)
    with connected(shell, NAME) as application:
        application.execute("DROP TABLE customers")
    print("  DROP TABLE customers")
    restore = f'  restore: {{from: Claim, claimRef: {{name: {NAME}}}, pointInTime: "{moment}"}}\n'
    apply(shell, "orders-before", restore)
    with connected(shell, "orders-before") as application:
        (count,) = application.execute("SELECT count(*) FROM customers").fetchone() or (0,)
    print(f"  The copy of a moment before has {count} rows in customers.")


def swap(shell: Shell) -> None:
    """Ask for another engine, and be refused."""
    head("Another engine for a database that lives: refused, and nothing is touched")
    patch = '{"spec":{"crossplane":{"compositionRef":{"name":"xdatabase-cnpg"}}}}'
    shell.show(f"kubectl -n {TEAM} patch xdb {NAME} --type=merge -p '{patch}'")
    accepted = '.status.conditions[?(@.type=="Accepted")]'
    refused = f"jsonpath='{{{accepted}.status}}'=False"
    shell.run(f"kubectl -n {TEAM} wait xdb/{NAME} --for={refused} --timeout={WAIT_SECONDS}s")
    text = shell.run(f"kubectl -n {TEAM} get xdb {NAME} -o jsonpath='{{{accepted}.message}}'")
    print(textwrap.fill(text, _WIDTH, initial_indent="  ", subsequent_indent="  "))
    back = '{"spec":{"crossplane":{"compositionRef":{"name":"xdatabase-local"}}}}'
    shell.run(f"kubectl -n {TEAM} patch xdb {NAME} --type=merge -p '{back}'")


def apply(shell: Shell, name: str, more: str = "") -> None:
    """Apply a claim and return once it serves."""
    claim = CLAIM_OF.format(name=name) + more
    print(textwrap.indent(claim.rstrip(), "  | "))
    began = time.monotonic()
    shell.show("kubectl apply -f -", claim)
    shell.show(f"kubectl -n {TEAM} wait xdb/{name} --for=condition=Serving --timeout={WAIT_SECONDS}s")
    print(f"  {name} serves after {time.monotonic() - began:.1f} s")


@contextlib.contextmanager
def connected(shell: Shell, name: str) -> Iterator[psycopg.Connection]:
    """Connect as an application does: by what the binding says, and nothing else."""
    bound = json.loads(shell.run(f"groundplane binding xdb/{name} -n {TEAM} -o json"))
    with psycopg.connect(bound["DATABASE_URL"], autocommit=True) as connection:
        yield connection


def head(text: str) -> None:
    """Print a headline."""
    print(f"\n{text}\n{'=' * len(text)}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
