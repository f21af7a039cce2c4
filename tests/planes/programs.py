"""Clients in other languages: built once into `_binaries`, and run as programs whose lines are read."""

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bareplane.binaries import BUILT

SOURCES = Path(__file__).parent / "clients"
WAIT_SECONDS = 90.0  # a virtual machine starts slowly where much else runs
_TARGET = BUILT / "clients"


def go() -> tuple[str, ...]:
    """Return the command of the client in Go, built."""
    _need("go")
    with _building("go") as target:
        if target:
            _run("go", "build", "-mod=readonly", "-o", str(target / "clients"), ".", folder=SOURCES / "go")
    return (str(_TARGET / "go" / "clients"),)


def java() -> tuple[str, ...]:
    """Return the command of the client in Java, built."""
    _need("mvn", "javac")
    with _building("java") as target:
        if target:
            copied = f"-DoutputDirectory={target / 'lib'}"
            _run("mvn", "-q", "-B", "-f", "pom.xml", "dependency:copy-dependencies", copied, folder=SOURCES / "java")
            words = ("-cp", f"{target}/lib/*", "-d", str(target), "Watching.java")
            _run("javac", *words, folder=SOURCES / "java")
    return ("java", "-XX:TieredStopAtLevel=1", "-cp", f"{_TARGET}/java:{_TARGET}/java/lib/*", "Watching")


def _need(*names: str) -> None:
    absent = [name for name in names if shutil.which(name) is None]
    if absent:
        pytest.skip(f"no {' and no '.join(absent)} here")


@contextlib.contextmanager
def _building(name: str) -> Iterator[Path | None]:
    """Yield the folder to build into, or None when what is there is of these sources; others wait meanwhile."""
    target = _TARGET / name
    target.mkdir(parents=True, exist_ok=True)
    sources = sorted(path for path in (SOURCES / name).iterdir() if path.is_file())
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = target / "stamp"
    with (target / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        current = stamp.is_file() and stamp.read_text() == digest
        yield None if current else target
        stamp.write_text(digest)


def _run(*words: str, folder: Path) -> None:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words[0]} failed:\n{done.stdout}{done.stderr}"


class Program:
    """A client that runs."""

    def __init__(self, *words: str | Path) -> None:
        self._process = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))

    def await_(self, *expected: str, seconds: float = WAIT_SECONDS) -> None:
        """Return once every line of *expected* was printed."""
        end = time.monotonic() + seconds
        while missing := [line for line in expected if line not in self.lines]:
            printed = "\n".join(self.lines)
            assert self._process.poll() is None, f"it ended, and never said {missing}:\n{printed}"
            assert time.monotonic() < end, f"it never said {missing}:\n{printed}"
            time.sleep(0.05)

    def tell(self, text: str) -> None:
        """Write *text* to its input."""
        assert self._process.stdin
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def end(self) -> int:
        """End its input, and return its exit code."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            return self._process.wait(WAIT_SECONDS)
        finally:
            self._let_go()

    def kill(self) -> None:
        """End it as a machine that breaks does."""
        self._process.kill()
        self._process.wait()
        self._let_go()

    def _let_go(self) -> None:
        self._process.kill()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe and not pipe.closed:
                pipe.close()


@contextlib.contextmanager
def running_program(*words: str | Path) -> Iterator[Program]:
    """Start a client, yield it, and end it whatever happens."""
    program = Program(*words)
    try:
        yield program
    finally:
        program.kill()
