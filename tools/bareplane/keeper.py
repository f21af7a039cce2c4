"""Starts and ends the programs of a plane, and outlives whoever asked: nothing is left running.

`python -m bareplane.keeper FOLDER` is the parent of every program. It takes one JSON request per line on the socket
FOLDER/keeper.sock and answers with one JSON line. When its standard input ends, because the process that started it
ended in whatever way, it ends the programs in reverse order, by the pids of its own children, and removes FOLDER.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

SOCKET = "keeper.sock"
READY = "ready"
TEMPORARY = "tmp"  # a program that is killed leaves its temporary files, and some clients keep their keys in them
GRACE_SECONDS = 3


class KeeperError(Exception):
    """The message says which program could not be started or ended, and why."""


class Programs:
    """The programs that run, in the order of their start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.lock = threading.Lock()

    def start(self, name: str, argv: list[str], env: dict[str, str]) -> dict[str, Any]:
        """Start a program; its output goes to logs/NAME.log. One of that name must not run."""
        if name in self.running and self.running[name].poll() is None:
            raise KeeperError(f"{name} runs already")
        self.running.pop(name, None)
        with (self.folder / "logs" / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                argv,
                env={**os.environ, "TMPDIR": str(self.folder / TEMPORARY), **env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return {"pid": self.running[name].pid}

    def stop(self, name: str, number: int = signal.SIGTERM, grace: float = GRACE_SECONDS) -> dict[str, Any]:
        """End a program with the signal *number*, and with SIGKILL after *grace* seconds; return its exit code."""
        program = self.running.pop(name, None)
        if program is None:
            raise KeeperError(f"{name} does not run")
        with contextlib.suppress(ProcessLookupError):
            program.send_signal(number)
        try:
            program.wait(grace)
        except subprocess.TimeoutExpired:
            program.kill()
        return {"code": program.wait()}

    def signal(self, name: str, number: int) -> dict[str, Any]:
        """Send a signal to a program, and go on keeping it."""
        if name not in self.running:
            raise KeeperError(f"{name} does not run")
        self.running[name].send_signal(number)
        return {"pid": self.running[name].pid}

    def state(self) -> dict[str, Any]:
        """Return pid and exit code of every program; the code is null while it runs."""
        return {name: {"pid": one.pid, "code": one.poll()} for name, one in self.running.items()}

    def stop_all(self) -> None:
        """End every program, the last one started first."""
        for name in reversed([*self.running]):
            self.stop(name)


def main(folder: Path) -> int:
    """Serve until standard input ends or SIGTERM comes."""
    for name in ("logs", TEMPORARY):
        (folder / name).mkdir(exist_ok=True)
    programs = Programs(folder)
    signal.signal(signal.SIGTERM, _end)
    try:
        with _Server(str(folder / SOCKET), programs) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            print(READY, flush=True)
            sys.stdin.buffer.read()
            server.shutdown()
    finally:
        programs.stop_all()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def ask(folder: Path, do: str, **words: Any) -> dict[str, Any]:
    """Send a request to the keeper of *folder* and return its answer.

    Raises:
        KeeperError: the keeper is gone, or says that it cannot.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(folder / SOCKET))
            with connection.makefile("rw", encoding="utf-8") as file:
                file.write(json.dumps({"do": do, **words}) + "\n")
                file.flush()
                answer: dict[str, Any] = json.loads(file.readline() or "{}")
    except OSError as error:
        raise KeeperError(f"the plane in {folder} does not run any more: {error}") from error
    if "error" in answer or not answer:
        raise KeeperError(answer.get("error", "the keeper ended"))
    return answer


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, address: str, programs: Programs) -> None:
        super().__init__(address, _Handler)
        self.programs = programs


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """Answer one request."""
        request = json.loads(self.rfile.readline())
        assert isinstance(self.server, _Server)  # noqa: S101  # Tells the type checker.
        self.wfile.write(json.dumps(_answer(self.server.programs, request)).encode() + b"\n")


def _answer(programs: Programs, request: dict[str, Any]) -> dict[str, Any]:
    do = request.pop("do")
    actions = {
        "start": programs.start,
        "stop": programs.stop,
        "signal": programs.signal,
        "state": lambda: {"programs": programs.state()},
    }
    with programs.lock:
        try:
            answer: dict[str, Any] = actions[do](**request)  # type: ignore[operator]  # Each has its own words.
        except (KeeperError, OSError) as error:
            return {"error": str(error)}
    return answer


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
