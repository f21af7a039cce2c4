"""Build the packages that Crossplane installs, and push them.

Run it as `make package` or `make push`. REGISTRY, ORG and VERSION say where they will be installed from; what depends
on another package names it so, and Compositions call the function by the name that follows. The function's package
takes its image from RUNTIME_IMAGE_TARBALL (one path for each platform) or, with Docker, RUNTIME_IMAGE.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from bareplane.binaries import BinariesError
from xpkg.build import Built, Runtime, build, digest, push, runtime
from xpkg.stage import stage
from xpkg.target import PackageError, Target, chosen, named

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
NO_IMAGE = (
    "package: no runtime image was given: a Function from this package is metadata only, and its pod cannot start."
    " It serves Crossplane with the External runtime. For a cluster: make image, then give RUNTIME_IMAGE_TARBALL."
)


def main(words: list[str], environ: Mapping[str, str] = os.environ, dist: Path = DIST) -> int:
    """Build everything, push it when *words* say so, and return the exit code."""
    try:
        target = named(environ) if words == ["push"] else chosen(environ)
        image = runtime(environ)
        built = build(stage(ROOT, target, dist / "stage"), target, image, dist)
        _report(built, image)
        if words == ["push"]:
            _push(built, target)
    except (PackageError, BinariesError) as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    return 0


def _report(built: list[Built], image: Runtime) -> None:
    rows = [("package", "file", "sha256", "inside")]
    rows += [(one.staged.name, file.name, digest(file)[:12], one.inside) for one in built for file in one.files]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]))
    if not image.words():
        print(NO_IMAGE, file=sys.stderr, flush=True)


def _push(built: list[Built], target: Target) -> None:
    for one in built:
        print(f"pushed {target.reference(one.staged.name)}@{push(one, target)}", flush=True)
    whole = built[-1].staged.name
    print(f"install {target.reference(whole)}; it brings the others")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
