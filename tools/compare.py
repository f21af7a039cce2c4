"""Hold the embedded plane against a real API server: `make planes` (ARGS='-k Lease' runs some).

Random objects are written to both, and every recorded command of kubectl is played. It takes less than a minute.
GROUNDPLANE_FUZZ_OBJECTS=2000 writes so many objects of each kind, GROUNDPLANE_FUZZ_SEED other ones; what a real plane
answers to the commands is recorded anew by `KUBECONFIG=... python tools/transcript.py`.
"""

import os
import subprocess
import sys
from pathlib import Path

from bareplane import binaries
from bareplane.plane import FOLDER_VARIABLE, PROGRAMS, PlaneError, started

ROOT = Path(__file__).resolve().parent.parent
PYTEST = (str(Path(sys.executable).parent / "pytest"), "tests/planes", "-p", "no:cacheprovider", "-n", "2")


def main(words: list[str]) -> int:
    """Run the suite on a plane of its own, or on the one that is given; return 0 when it passed or was skipped."""
    if FOLDER_VARIABLE in os.environ:
        return _run(words, {})
    if why := binaries.missing(*PROGRAMS):
        print(f"planes: skipped: {why}")
        return 0
    try:
        with started() as plane:
            return _run(words, {FOLDER_VARIABLE: str(plane.folder)})
    except (binaries.BinariesError, PlaneError) as error:
        print(f"planes: {error}", file=sys.stderr)
        return 1


def _run(words: list[str], variables: dict[str, str]) -> int:
    return subprocess.run((*PYTEST, *words), cwd=ROOT, env={**os.environ, **variables}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
