"""Run the scenarios of tests/controlplane on a real control plane: `make controlplane` (ARGS='-k swap' runs some).

Starts bare planes with Groundplane installed from packages. On one runs, side by side, what can share it; on others, at
the same time and one by one, what breaks it. GROUNDPLANE_CLUSTER=kubeconfig takes the cluster of KUBECONFIG for all
instead, one after the other; it must have Groundplane, the companion set and the example environments installed, and
what needs the plane itself is skipped there, and counted. `make embedded` plays the same on embedded planes, where what
a single machine has not is skipped, and counted.
"""

import contextlib
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from bareplane import binaries, embedded, groundplane
from bareplane.plane import FOLDER_VARIABLE, Plane, PlaneError, started

ROOT = Path(__file__).resolve().parent.parent
PYTEST = (str(Path(sys.executable).parent / "pytest"), "tests/controlplane", "-p", "no:cacheprovider", "--durations=5")
NOTHING_SELECTED = 5
EMBEDDED = "--embedded"
Start = Callable[[], contextlib.AbstractContextManager[Plane]]


@dataclass(frozen=True, slots=True)
class Part:
    """Scenarios that run in the same way.

    Attributes:
        select: pytest's words that choose them.
        workers: How many run side by side where this tool starts the planes: they wait more than they work.
        planes: How many planes the workers have; each worker has one of its own, or all have the same.
    """

    select: tuple[str, str]
    workers: int
    planes: int

    def words(self) -> tuple[str, ...]:
        """Return pytest's words that run them on their planes."""
        return (*self.select, "-n", str(self.workers), "--dist", "loadfile" if self.planes == 1 else "worksteal")


SHARED = ("-m", "not alone")
ALONE = ("-m", "alone")
ON_BARE_PLANES = (Part(SHARED, workers=3, planes=1), Part(ALONE, workers=2, planes=2))
ON_EMBEDDED_PLANES = (Part(SHARED, workers=5, planes=1), Part(ALONE, workers=3, planes=3))


def main(words: list[str]) -> int:
    """Run the suite and return 0 when all of it passed, or was skipped with the reason."""
    is_embedded = EMBEDDED in words
    words = [word for word in words if word != EMBEDDED]
    name = "embedded" if is_embedded else "controlplane"
    if not _is_given() and (why := groundplane.lacking(embedded=is_embedded)):
        print(f"{name}: skipped: {why}")
        return 0
    parts = [part for part in (ON_EMBEDDED_PLANES if is_embedded else ON_BARE_PLANES) if _selects(part, words)]
    if not parts:
        print(f"{name}: no scenario is selected", file=sys.stderr)
        return NOTHING_SELECTED
    try:
        if _is_given():
            codes = [
                subprocess.run((*PYTEST, *part.select, *words), cwd=ROOT, check=False).returncode for part in parts
            ]
        else:
            codes = _on_planes(embedded.started if is_embedded else started, parts, words)
    except (binaries.BinariesError, PlaneError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return next((code for code in codes if code), 0)


def _is_given() -> bool:
    return os.environ.get("GROUNDPLANE_CLUSTER") == "kubeconfig"


def _selects(part: Part, words: list[str]) -> bool:
    """Tell whether *words* leave a scenario in *part*; what is wrong with them, the run itself tells."""
    collect = (*PYTEST, *part.select, *words, "--collect-only", "-q")
    return subprocess.run(collect, cwd=ROOT, capture_output=True, check=False).returncode != NOTHING_SELECTED


def _on_planes(start: Start, parts: Sequence[Part], words: list[str]) -> list[int]:
    """Run each of *parts* on planes of its own, all at once; what a later one says is printed once it has ended."""
    begun = time.monotonic()
    with contextlib.ExitStack() as stack:
        planes = [[stack.enter_context(start()) for _ in range(part.planes)] for part in parts]
        for plane in itertools.chain(*planes):
            groundplane.install(plane)
        print(f"{sum(map(len, planes))} planes are up after {time.monotonic() - begun:.0f} s", flush=True)
        outputs = [None, *(stack.enter_context(TemporaryFile()) for _ in parts[1:])]
        runs = [
            subprocess.Popen((*PYTEST, *part.words(), *words), cwd=ROOT, env=_variables(its), stdout=output)
            for part, its, output in zip(parts, planes, outputs, strict=True)
        ]
        codes = []
        for run, output in zip(runs, outputs, strict=True):
            codes.append(run.wait())
            if output:
                output.seek(0)
                print(output.read().decode(), end="", flush=True)
        return codes


def _variables(planes: Sequence[Plane]) -> dict[str, str]:
    return {**os.environ, FOLDER_VARIABLE: os.pathsep.join(str(plane.folder) for plane in planes)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
