"""The real kubectl, as a function."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 60


class KubectlError(Exception):
    """What kubectl wrote to standard error."""


class Kubectl:
    """kubectl with one kubeconfig. What it keeps of a cluster lies beside that, or in *cache*, and goes with it."""

    def __init__(self, kubeconfig: Path, *words: str, cache: Path | None = None) -> None:
        self.kubeconfig = kubeconfig
        self._words = words
        self._cache = cache or kubeconfig.parent / "kubectl"

    def as_(self, user: str, *groups: str) -> "Kubectl":
        """Return a kubectl that acts as *user*, member of *groups*."""
        words = (f"--as={user}", *(f"--as-group={group}" for group in groups))
        return Kubectl(self.kubeconfig, *words, cache=self._cache)

    def __call__(self, *words: str | Path, stdin: Any = None, seconds: float = TIMEOUT_SECONDS) -> str:
        """Run kubectl and return what it printed; *stdin* is text, or objects.

        Raises:
            KubectlError: it failed.
        """
        done = self.run(*words, stdin=stdin, seconds=seconds)
        if done.returncode:
            raise KubectlError(done.stderr.strip())
        return done.stdout

    def ask(self, *words: str | Path) -> str:
        """Return what kubectl printed, or nothing when it failed."""
        return self.run(*words).stdout

    def get(self, *words: str) -> Any:
        """Return an object, or the list of objects.

        Raises:
            KubectlError: it is not there.
        """
        found = json.loads(self("get", *words, "-o", "json"))
        return found["items"] if found["kind"] == "List" else found

    def apply(self, *objects: dict[str, Any], server_side: bool = False, namespace: str = "") -> str:
        """Apply *objects* and return what kubectl printed.

        Raises:
            KubectlError: one was refused.
        """
        words = ["--server-side", "--force-conflicts"] if server_side else []
        words += ["-n", namespace] if namespace else []
        return self("apply", *words, "-f", "-", stdin=objects)

    def run(
        self, *words: str | Path, stdin: Any = None, seconds: float = TIMEOUT_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl and return how it ended."""
        if stdin is not None and not isinstance(stdin, str):
            stdin = json.dumps({"apiVersion": "v1", "kind": "List", "items": [*stdin]})
        return subprocess.run(
            [str(program()), *self._words, *(str(word) for word in words)],
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(self._cache)},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


def program() -> Path:
    """Return the kubectl that `make setup` installed."""
    return Path(sys.executable).parent / "kubectl"
