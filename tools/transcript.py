"""Play tables of kubectl commands on the real control plane of KUBECONFIG, and keep what it answers as the recordings.

Words name the tables, all by default.
"""

import os
import sys
import tempfile
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

import plane_transcript
from bareplane.crossplane import role_for
from bareplane.kubectl import Kubectl

SETTLE_SECONDS = "3"


def main(tables: list[str]) -> int:
    """Record, and say how many rows there are."""
    kubeconfig = Path(os.environ["KUBECONFIG"])
    definition = yaml.safe_load((plane_transcript.FOLDER / "files" / "definition.yaml").read_text())
    Kubectl(kubeconfig).apply(role_for(definition))
    for table in tables or plane_transcript.TABLES:
        with tempfile.TemporaryDirectory() as scratch:
            played = plane_transcript.play(kubeconfig, Path(scratch), table, settle=SETTLE_SECONDS)
        plane_transcript.record(table, played)
        print(f"transcript: {table}: {len(played)} rows recorded", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
