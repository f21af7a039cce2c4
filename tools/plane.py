"""Start a real control plane on loopback and keep it until Ctrl-C: Kubernetes' API and Crossplane, without pods.

Run it as `make plane`; ARGS=--groundplane installs Groundplane, too, and plays the operators. It prints the
kubeconfig's path; everything ends with this process, however it ends.
"""

import argparse
import contextlib
import signal
import sys
import time

from bareplane import embedded, groundplane
from bareplane.binaries import BinariesError
from bareplane.plane import FOLDER_VARIABLE, PlaneError, started


def main() -> int:
    """Serve until told to end; return 1 when the plane did not come up."""
    parser = argparse.ArgumentParser(description="Start a real API server and Crossplane on loopback.")
    parser.add_argument(
        "--groundplane", action="store_true", help="install Groundplane as well, and play the operators"
    )
    parser.add_argument("--embedded", action="store_true", help="start the embedded plane instead")
    options = parser.parse_args()
    start = embedded.started if options.embedded else started
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun = time.monotonic()
    try:
        with contextlib.suppress(KeyboardInterrupt), start() as plane:
            if options.groundplane:
                groundplane.install(plane)
            print(f"plane: up in {time.monotonic() - begun:.1f} s; Ctrl-C ends it; in another shell:")
            print(f"export KUBECONFIG={plane.kubeconfig} {FOLDER_VARIABLE}={plane.folder}", flush=True)
            signal.pause()
    except (BinariesError, PlaneError) as error:
        print(f"plane: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
