"""Rewrite requirements/*.txt: every package the project installs, pinned with its hashes.

Run it as `make lock`; `make lock UPGRADE=1` also moves the pins to the newest versions that
pyproject.toml allows. Needs the network. The files hold for every platform and for every Python
that the project supports.
"""

import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN_PIN = ROOT / "requirements" / "lock.txt"
OWN_VENV = ROOT / ".venv-lock"
COMPILE = (
    "pip",
    "compile",
    "--quiet",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--custom-compile-command=make lock",
)


def main() -> int:
    """Rewrite the files and return 0, or say on stderr what failed and return 1."""
    try:
        uv = _install_uv()
        upgrade = ("--upgrade",) if os.environ.get("UPGRADE") else ()
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        build = "\n".join(project["build-system"]["requires"])
        function = _compile(uv, "function.txt", "pyproject.toml", *upgrade)
        # What runs in the function image is what the tests run.
        same = f"--constraint={function}"
        everything = ("pyproject.toml", "-", "--all-extras")
        _compile(uv, "dev.txt", *everything, same, *upgrade, stdin=build)
        # The clients that `make clients` connects with; psycopg is the one of the tests.
        _compile(
            uv, "clients.txt", "-", "--constraint=requirements/dev.txt", *upgrade, stdin="psycopg[binary]\nasyncpg"
        )
        if upgrade:
            _compile(uv, "lock.txt", "-", *upgrade, stdin="uv")
    except subprocess.CalledProcessError as error:
        print(f"lock: {Path(error.cmd[0]).name} failed, see above", file=sys.stderr)
        return 1
    return 0


def _install_uv() -> str:
    venv.create(OWN_VENV, with_pip=True, clear=True)
    pinned = ("--require-hashes", "--only-binary=:all:", f"--requirement={OWN_PIN}")
    command = (str(OWN_VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", *pinned)
    subprocess.run(command, check=True)
    return str(OWN_VENV / "bin" / "uv")


def _compile(uv: str, target: str, *sources: str, stdin: str = "") -> str:
    relative = f"requirements/{target}"
    command = (uv, *COMPILE, f"--output-file={relative}", *sources)
    subprocess.run(command, check=True, cwd=ROOT, input=stdin, text=True, stdout=subprocess.DEVNULL)
    return relative


if __name__ == "__main__":
    sys.exit(main())
