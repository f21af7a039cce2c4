"""Write the golden files again: what `groundplane render` prints of every example, for review in the diff."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Beside an installed package, so that a copy of the repository shows its own engines.
sys.path[:0] = [str(ROOT / "functions"), str(ROOT / "tests" / "support")]

from click.testing import CliRunner  # noqa: E402  # likewise

import catalogue  # noqa: E402  # found by the path above
from groundplane.__main__ import main  # noqa: E402  # likewise

REFUSED = 3  # the exit code of a refusal


def printed(golden: catalogue.Golden) -> tuple[Path, str]:
    """Return the golden's file and its text: the manifests, or the words of the refusal.

    The working directory must be the repository's root, because a refusal quotes the paths it was given.

    Raises:
        RuntimeError: the claim is neither rendered nor refused; the text says why.
    """
    result = CliRunner().invoke(main, golden.words)
    if result.exit_code == REFUSED:
        return golden.refused, result.stderr
    if result.exit_code != 0 or result.stderr:
        msg = f"{golden}: groundplane {' '.join(golden.words)}: exit code {result.exit_code}\n{result.stderr}"
        raise RuntimeError(msg) from result.exception
    return golden.rendered, result.stdout


def rewrite() -> list[Path]:
    """Write every golden and remove those that belong to nothing; return the files that changed."""
    wanted = dict(map(printed, catalogue.goldens()))
    changed = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    stale = [path for path in catalogue.GOLDEN.rglob("*") if path.is_file() and path not in wanted]
    for path in stale:
        path.unlink()
    return sorted([*changed, *stale])


if __name__ == "__main__":
    os.chdir(ROOT)
    for found in rewrite():
        print(f"{'wrote' if found.exists() else 'removed'} {found.relative_to(ROOT)}")
