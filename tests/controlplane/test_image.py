"""The steps of the function image's Dockerfile, done without Docker: pip installs by hash, and the files serve."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import catalogue
import image
import image_tree
from image_call import is_answered

pytestmark = pytest.mark.bare("the image is no part of it")
BUILD, FINAL = image_tree.parsed(image_tree.DOCKERFILE.read_text(encoding="utf-8")).stages
UNREACHABLE = re.compile("NewConnectionError|ConnectTimeout|ReadTimeout|NameResolution|ProxyError|Max retries")


def _python() -> str:
    """Return the Python whose packages are installed: this one, or the one that IMAGE_PYTHON names."""
    return os.environ.get("IMAGE_PYTHON", sys.executable)


def _interpreter(python: str) -> str:
    """Return the program behind *python*, which has no packages of its own."""
    words = (python, "-c", "import os, sys; print(os.path.realpath(sys.executable))")
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(os.name != "posix", reason="the image is one of Linux")
def test_what_the_dockerfile_installs_serves_the_function_read_only(tmp_path: Path) -> None:
    python = _python()
    context = tmp_path / "context"
    (context / "requirements").mkdir(parents=True)
    pins = "requirements/function.txt"
    (context / pins).write_bytes((catalogue.ROOT / pins).read_bytes())
    image.wheel(context / "dist")
    folder = tmp_path / "build"
    try:
        image_tree.build(BUILD, context, folder, python)
    except AssertionError as error:
        if UNREACHABLE.search(str(error)):
            pytest.skip("no package index can be reached")
        raise
    tree = folder / "app"
    assert (tree / "groundplane" / "_package" / "apis").is_dir()
    assert list(tree.glob("groundplane/function/__pycache__/fn.*.pyc"))
    image_tree.read_only(tree)
    try:
        before = image_tree.files(tree)
        with image_tree.serving(FINAL, tree, _interpreter(python)) as address:
            assert asyncio.run(is_answered(address))
        assert image_tree.files(tree) == before
    finally:
        image_tree.removable(tree)
