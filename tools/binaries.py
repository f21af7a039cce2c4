"""Find or build the programs that a real control plane needs; say where each one is.

Run it as `make binaries`. The exit code is 1 when one is missing and cannot be built; the line then says why.
"""

import sys

from bareplane import binaries


def main() -> int:
    """Print a line for each program and return the exit code."""
    try:
        return binaries.report(binaries.BINARIES)
    except binaries.BinariesError as error:
        print(f"binaries: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
