"""Play the transcript table on the real control plane of KUBECONFIG, and keep what it answers as the recording."""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import plane_transcript


def main() -> int:
    """Record, and say how many rows there are."""
    with tempfile.TemporaryDirectory() as scratch:
        played = plane_transcript.play(Path(os.environ["KUBECONFIG"]), Path(scratch), settle="3")
    plane_transcript.record(played)
    print(f"transcript: {len(played)} rows recorded")
    return 0


if __name__ == "__main__":
    sys.exit(main())
