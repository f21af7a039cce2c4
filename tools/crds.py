"""Download the pinned upstream CRDs of tools/crds.toml into _crds, for the tests.

Run it as `make crds`. A file counts only when its git blob hash is the pinned one; files that are
there already are left alone, so a second run needs no network.
"""

import hashlib
import os
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASE = "https://raw.githubusercontent.com"
TIMEOUT_SECONDS = 30


class DownloadError(Exception):
    """The message says which file could not be had, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One upstream file: where it is, where it goes, and the content it must have."""

    source: str  # its path below the base address
    target: str  # its path below the folder of all downloads
    blob: str  # its git blob hash, 40 hex digits


def crds_folder() -> Path | None:
    """Return the folder of upstream CRDs: what GROUNDPLANE_CRDS names, else where the tests look; None without one."""
    chosen = os.environ.get("GROUNDPLANE_CRDS")
    places = (Path(chosen),) if chosen else (ROOT / "_crds", ROOT.parent / "shared" / "crds")
    return next((place for place in places if place.is_dir()), None)


def pins(document: Mapping[str, Mapping[str, object]]) -> Iterator[Pin]:
    """Yield a pin for each file that *document*, the parsed crds.toml, names."""
    for folder, upstream in document.items():
        blobs = upstream["blobs"]
        if not isinstance(blobs, Mapping):
            raise TypeError(f"crds.toml: {folder}.blobs must be a table")
        for name, blob in blobs.items():
            source = f"{upstream['repository']}/{upstream['commit']}/{upstream['path']}/{name}"
            yield Pin(source, f"{folder}/{name}", str(blob))


def blob_hash(content: bytes) -> str:
    """Return the hash that git gives to a file with this content."""
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def download(pin: Pin, target: Path, base: str = BASE) -> bool:
    """Make *target* the pinned file; return whether that took a download.

    Raises:
        DownloadError: the file could not be had; *target* is as it was.
    """
    if target.is_file() and blob_hash(target.read_bytes()) == pin.blob:
        return False
    content = _fetch(f"{base}/{pin.source}")
    if blob_hash(content) != pin.blob:
        raise DownloadError(f"{pin.source} is not the pinned file: its hash is {blob_hash(content)}, not {pin.blob}")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    partial.write_bytes(content)
    partial.replace(target)
    return True


def _fetch(url: str) -> bytes:
    try:
        # The scheme is https, or http on loopback in the tests.
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310  # see above
            content: bytes = response.read()
    except urllib.error.HTTPError as error:
        raise DownloadError(f"{url} answers {error.code} {error.reason}") from error
    except OSError as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise DownloadError(f"{url} cannot be reached: {reason}; connect and run make crds again") from error
    return content


def main(folder: Path = ROOT / "_crds", base: str = BASE) -> int:
    """Download all and return 0, or name on stderr the first file that failed and return 1."""
    document = tomllib.loads((ROOT / "tools" / "crds.toml").read_text())
    wanted = list(pins(document))
    try:
        fresh = sum(download(pin, folder / pin.target, base) for pin in wanted)
    except DownloadError as error:
        print(f"crds: {error}", file=sys.stderr)
        return 1
    print(f"crds: {len(wanted)} files in {folder.name}, {fresh} of them downloaded now")
    return 0


if __name__ == "__main__":
    sys.exit(main())
