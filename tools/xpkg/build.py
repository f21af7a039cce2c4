"""Build packages with the official command line, and push them.

The command line is reproducible by itself: it sorts files, keeps no times and compresses always alike, so that the same
tree and the same runtime image give the same bytes. It also pushes, because an .xpkg cannot carry the annotation that
tells Crossplane which layer is the package, and pushing with another program loses it: Crossplane would then unpack
the whole runtime image to find it.
"""

import hashlib
import json
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bareplane.binaries import need
from xpkg.stage import FUNCTION, Staged
from xpkg.target import PackageError, Target

SUMS = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Runtime:
    """The image that runs a function.

    Attributes:
        tarballs: one for each platform, as `docker save` writes them.
        image: its name in the Docker engine of this machine.
    """

    tarballs: tuple[Path, ...] = ()
    image: str = ""

    def words(self) -> dict[str, tuple[str, ...]]:
        """Return what to tell the command line, by what each file's name ends with; nothing without an image."""
        if self.image:
            return {"": (f"--embed-runtime-image={self.image}",)}
        several = len(self.tarballs) > 1
        return {f"-{platform(path)}" * several: (f"--embed-runtime-image-tarball={path}",) for path in self.tarballs}


@dataclass(frozen=True, slots=True)
class Built:
    """A package as files: one, or for a function one for each platform."""

    staged: Staged
    files: tuple[Path, ...]
    runs: bool  # a runtime image is in it

    @property
    def inside(self) -> str:
        """What it holds, for people."""
        if self.staged.kind != FUNCTION:
            return self.staged.inside
        return f"{self.staged.inside}, {'runtime image' if self.runs else 'NO runtime image'}"


def runtime(environ: Mapping[str, str]) -> Runtime:
    """Return the runtime image that RUNTIME_IMAGE_TARBALL or RUNTIME_IMAGE name, or none.

    Raises:
        PackageError: both are given, or a tarball is not there.
    """
    named, image = environ.get("RUNTIME_IMAGE_TARBALL", "").split(), environ.get("RUNTIME_IMAGE", "")
    if named and image:
        raise PackageError("RUNTIME_IMAGE_TARBALL and RUNTIME_IMAGE are both given; give one of them")
    for name in named:
        if not Path(name).is_file():
            raise PackageError(f"RUNTIME_IMAGE_TARBALL={name} is not there; make image writes it")
    return Runtime(tuple(Path(name).resolve() for name in named), image)


def platform(tarball: Path) -> str:
    """Return what an image runs on, such as ``linux-amd64``.

    Raises:
        PackageError: it is no image.
    """
    try:
        with tarfile.open(tarball) as archive:
            (image,) = json.loads(_member(archive, "manifest.json"))
            config = json.loads(_member(archive, image["Config"]))
        return f"{config['os']}-{config['architecture']}"
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise PackageError(f"{tarball} is no image as docker save writes one: {error}") from None


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    return file.read() if file else b""


def build(packages: list[Staged], target: Target, image: Runtime, folder: Path) -> list[Built]:
    """Build *packages* into *folder*, and write their checksums there.

    Raises:
        PackageError: the command line refuses one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    embedded = image.words()
    built = [_build(one, target, embedded if one.kind == FUNCTION else {}, folder) for one in packages]
    files = [file for one in built for file in one.files]
    (folder / SUMS).write_text("".join(f"{digest(file)}  {file.name}\n" for file in files))
    return built


def _build(package: Staged, target: Target, embedded: Mapping[str, tuple[str, ...]], folder: Path) -> Built:
    files = []
    for ending, words in (embedded or {"": ()}).items():
        file = folder / f"{package.name}-{target.version}{ending}.xpkg"
        # Without a folder of its own for examples it would take the one of the folder it runs in.
        examples = package.folder.with_name("no-examples")
        where = (f"--package-root={package.folder}", f"--examples-root={examples}", f"--package-file={file}")
        _crossplane("build", *where, *words)
        files.append(file)
    return Built(package, tuple(files), runs=bool(embedded))


def push(built: Built, target: Target) -> str:
    """Push a package and return its digest in the registry. A registry on loopback may speak plain HTTP.

    Raises:
        PackageError: the registry refuses it.
    """
    reference = target.reference(built.staged.name)
    _crossplane("push", f"--package-files={','.join(map(str, built.files))}", reference)
    return _run(need("crane"), "digest", reference).strip()


def digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _crossplane(*words: str) -> str:
    return _run(need("crossplane-cli"), "xpkg", *words)


def _run(program: Path, *words: str) -> str:
    done = subprocess.run([str(program), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(f"{program.name} {words[0]} {words[1]} failed:\n{done.stderr.strip()}")
    return done.stdout
