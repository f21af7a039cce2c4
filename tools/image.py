"""Build the image that runs the function, one file for each of PLATFORMS, with Docker's buildx.

Run it as `make image`; `make package` embeds the files in the function's package. The wheel is built here, by the build
backend that requirements/dev.txt pins, so that the image's build needs the pinned packages alone.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
DEFAULT_PLATFORMS = "linux/amd64"


class ImageError(Exception):
    """The message says what is missing or failed, and what to do."""


def main(environ: Mapping[str, str] = os.environ, dist: Path = DIST) -> int:
    """Build the image for every platform and return the exit code."""
    try:
        _need_docker(environ)
        print(f"image: {wheel(dist).name}", flush=True)
        platforms = (environ.get("PLATFORMS") or DEFAULT_PLATFORMS).replace(",", " ").split()
        files = [_image(platform, dist, environ) for platform in platforms]
    except ImageError as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    names = " ".join(os.path.relpath(file, Path.cwd()) for file in files)
    print(f'image: now make package RUNTIME_IMAGE_TARBALL="{names}"')
    return 0


def wheel(dist: Path) -> Path:
    """Build Groundplane's wheel into *dist*, where no other version of it stays, and return its path.

    Raises:
        ImageError: the build failed.
    """
    for old in dist.glob("groundplane-*.whl"):
        old.unlink()
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check")
    _run(*pip, "--no-index", "--no-deps", "--no-build-isolation", f"--wheel-dir={dist}", str(ROOT))
    (built,) = dist.glob("groundplane-*.whl")
    return built


def _image(platform: str, dist: Path, environ: Mapping[str, str]) -> Path:
    file = dist / f"runtime-{platform.replace('/', '-')}.tar"
    _run(
        *("docker", "buildx", "build", f"--platform={platform}", f"--file={ROOT / 'package' / 'Dockerfile'}"),
        # Without times and without a record of who built it, the same tree gives the same image.
        *("--build-arg=SOURCE_DATE_EPOCH=0", "--provenance=false"),
        *(f"--build-arg={name}={environ[name]}" for name in ("BUILD_BASE", "RUN_BASE") if environ.get(name)),
        *(f"--output=type=docker,dest={file},rewrite-timestamp=true", str(ROOT)),
    )
    return file


def _need_docker(environ: Mapping[str, str]) -> None:
    found = shutil.which("docker", path=environ.get("PATH"))
    words = ("docker", "buildx", "version"), ("docker", "info")
    if not found or any(subprocess.run(one, capture_output=True, check=False).returncode for one in words):
        raise ImageError("needs a Docker engine with buildx, and there is none here; install Docker, or start it")


def _run(*words: str) -> None:
    if subprocess.run(words, check=False).returncode:
        raise ImageError(f"{Path(words[0]).name} {words[1]} failed, see above")


if __name__ == "__main__":
    sys.exit(main())
