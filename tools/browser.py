"""Run the tests of the page in headless Chromium: `make browser`. GROUNDPLANE_CHROMIUM names one that is elsewhere.

`python tools/browser.py --picture` takes docs/pictures/page.png again instead.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VARIABLE = "GROUNDPLANE_CHROMIUM"
PICTURE = "--picture"
NAMES = ("chromium", "chromium-browser", "google-chrome")
# It asks nobody anything, and needs neither a display nor a sandbox that root cannot have.
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str | None:
    """Return the browser's program, or None when there is none."""
    return os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, NAMES)), None)


def main(words: list[str]) -> int:
    """Run the tests and return 0 when all of them passed, or were skipped with the reason."""
    if chromium() is None:
        print(f"browser: skipped: there is no Chromium here; install the package chromium, or set {VARIABLE}")
        return 0
    environment = dict(os.environ)
    if PICTURE in words:
        words = [*(word for word in words if word != PICTURE), "-k", "picture"]
        environment["GROUNDPLANE_PICTURE"] = str(ROOT / "docs" / "pictures" / "page.png")
    pytest = (sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "tests/page", *words)
    return subprocess.run(pytest, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
