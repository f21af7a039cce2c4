"""Run the scenarios of tests/controlplane on a real control plane: `make controlplane` (ARGS='-k swap' runs some).

Starts one bare plane with Groundplane installed from packages, runs what can share it side by side, and then, one by
one, what breaks it. GROUNDPLANE_CLUSTER=kubeconfig takes the cluster of KUBECONFIG instead, which must have
Groundplane, the companion set and the example environments installed; what needs the plane itself is skipped there,
and counted.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bareplane import binaries, groundplane
from bareplane.plane import FOLDER_VARIABLE, PROGRAMS, PlaneError, started
from crds import crds_folder

SUITE = "tests/controlplane"
WORKERS = "3"  # scenarios wait more than they work
NOTHING_SELECTED = 5
TOOLS = ("crossplane-cli", "crane")


def main(words: list[str]) -> int:
    """Run the suite and return 0 when all of it passed, or was skipped with the reason."""
    if why := _lacking():
        print(f"controlplane: skipped: {why}")
        return 0
    try:
        with _cluster() as variables:
            return _run(variables, words)
    except (binaries.BinariesError, PlaneError) as error:
        print(f"controlplane: {error}", file=sys.stderr)
        return 1


def _lacking() -> str:
    if os.environ.get("GROUNDPLANE_CLUSTER") == "kubeconfig":
        return ""
    if why := binaries.missing(*PROGRAMS, *TOOLS):
        return why
    return "" if crds_folder() else "no upstream CRDs: run `make crds`, or name their folder in GROUNDPLANE_CRDS"


@contextlib.contextmanager
def _cluster() -> Iterator[dict[str, str]]:
    if os.environ.get("GROUNDPLANE_CLUSTER") == "kubeconfig":
        yield {}
        return
    begun = time.monotonic()
    with started() as plane:
        groundplane.install(plane)
        print(f"controlplane: the plane is up after {time.monotonic() - begun:.0f} s", flush=True)
        yield {FOLDER_VARIABLE: str(plane.folder), "KUBECONFIG": str(plane.kubeconfig)}


def _run(variables: dict[str, str], words: list[str]) -> int:
    pytest = (str(Path(sys.executable).parent / "pytest"), SUITE, "-p", "no:cacheprovider", *words)
    together = (*pytest, "-m", "not alone", "-n", WORKERS, "--dist", "loadfile")
    alone = (*pytest, "-m", "alone")
    codes = [
        subprocess.run(each, env={**os.environ, **variables}, check=False).returncode for each in (together, alone)
    ]
    return next((code for code in codes if code not in {0, NOTHING_SELECTED}), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
