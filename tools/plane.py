"""Start a real control plane on loopback and keep it until Ctrl-C: Kubernetes' API and Crossplane, without pods.

Run it as `make plane`. It prints the kubeconfig's path; everything ends with this process, however it ends.
"""

import contextlib
import signal
import sys
import time

from bareplane.binaries import BinariesError
from bareplane.plane import PlaneError, started


def main() -> int:
    """Serve until told to end; return 1 when the plane did not come up."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun = time.monotonic()
    try:
        with contextlib.suppress(KeyboardInterrupt), started() as plane:
            print(f"plane: up in {time.monotonic() - begun:.1f} s; Ctrl-C ends it; in another shell:")
            print(f"export KUBECONFIG={plane.kubeconfig}", flush=True)
            signal.pause()
    except (BinariesError, PlaneError) as error:
        print(f"plane: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
