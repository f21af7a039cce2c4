"""Where the programs of a control plane come from: what is there already, else what Go builds from pinned modules.

Each program has a module of its own below tests/binaries, because their requirements clash. Looked for, in this order:
the program's own variable (`CROSSPLANE_CORE=/usr/bin/crossplane`), the folder `KUBEBUILDER_ASSETS` that envtest users
have, and `_binaries`, where a build leaves it. A build counts only for the pins and flags it was made from.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = ROOT / "tests" / "binaries"
BUILT = ROOT / "_binaries"
KUBERNETES = "v1.36.3"
CROSSPLANE = "v2.4.0"
CROSSPLANE_MODULE = "github.com/crossplane/crossplane/v2"
_CROSSPLANE_VERSION = "-X=github.com/crossplane/crossplane-runtime/v2/pkg/version.version="
_KUBERNETES_VERSION = " ".join(
    f"-X=k8s.io/component-base/version.{name}={value}"
    for name, value in (("gitVersion", KUBERNETES), ("gitMajor", "1"), ("gitMinor", "36"))
)


class BinariesError(Exception):
    """The message says which program is missing, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Binary:
    """One program.

    Attributes:
        name: its file's name.
        module: the folder of its go.mod, below tests/binaries.
        package: what Go builds.
        variable: the environment variable that names a ready one.
        flags: what the linker sets, so that the program knows its version.
        patch: a source file of the module, text in it, and what the build puts in the text's place.
    """

    name: str
    module: str
    package: str
    variable: str
    flags: str = ""
    patch: tuple[str, str, str] | None = None


BINARIES = {
    binary.name: binary
    for binary in (
        Binary("etcd", "etcd", "go.etcd.io/etcd/server/v3", "ETCD"),
        Binary(
            "kube-apiserver",
            "kubernetes",
            "k8s.io/kubernetes/cmd/kube-apiserver",
            "KUBE_APISERVER",
            _KUBERNETES_VERSION,
        ),
        Binary(
            "kube-controller-manager",
            "kubernetes",
            "k8s.io/kubernetes/cmd/kube-controller-manager",
            "KUBE_CONTROLLER_MANAGER",
            _KUBERNETES_VERSION,
        ),
        Binary(
            "crossplane-core",
            "crossplane",
            f"{CROSSPLANE_MODULE}/cmd/crossplane",
            "CROSSPLANE_CORE",
            _CROSSPLANE_VERSION + CROSSPLANE,
            # Its ports for metrics and health listen on every interface, and no flag says otherwise.
            ("cmd/crossplane/core/core.go", 'Sprintf(":%d"', 'Sprintf("127.0.0.1:%d"'),
        ),
        Binary(
            "crossplane-cli",
            "crossplane-cli",
            "github.com/crossplane/cli/v2/cmd/crossplane",
            "CROSSPLANE_CLI",
            _CROSSPLANE_VERSION + "v2.5.0",
        ),
        Binary("crane", "crane", "github.com/google/go-containerregistry/cmd/crane", "CRANE"),
    )
}


def find(name: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the program *name* where it is there already.

    Raises:
        BinariesError: a variable names a program that cannot be run.
    """
    binary = BINARIES[name]
    if chosen := environ.get(binary.variable):
        if not os.access(chosen, os.X_OK):
            raise BinariesError(f"{binary.variable}={chosen} is no program that can be run; correct it or unset it")
        return Path(chosen).resolve()
    if (assets := environ.get("KUBEBUILDER_ASSETS")) and os.access(Path(assets) / name, os.X_OK):
        return Path(assets).resolve() / name
    built = BUILT / name
    current = _stamp_file(binary).is_file() and _stamp_file(binary).read_text() == _stamp(binary)
    return built if current and os.access(built, os.X_OK) else None


def need(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the program *name*, built when it is not there.

    Raises:
        BinariesError: it is not there and cannot be built.
    """
    return find(name, environ) or _build(BINARIES[name])


def missing(*names: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return why some of *names* can be neither found nor built, or nothing."""
    absent = [name for name in names if find(name, environ) is None]
    if not absent or shutil.which("go"):
        return ""
    variables = ", ".join(BINARIES[name].variable for name in absent)
    return f"no {', '.join(absent)} here, and no Go to build with: install Go, or name them ({variables})"


def crossplane_cluster() -> Path:
    """Return the folder with Crossplane's own CRDs and chart, of the pinned version.

    Raises:
        BinariesError: it is not there, and Go cannot fetch it.
    """
    BUILT.mkdir(exist_ok=True)
    return _sources(BINARIES["crossplane-core"]) / "cluster"


def report(names: Iterable[str]) -> int:
    """Say for each of *names* where it is, building it first where needed; return 0, or 1 when one is missing."""
    wanted = [*names]
    if why := missing(*wanted):
        print(f"binaries: skipped: {why}")
        return 1
    for name in wanted:
        found = find(name)
        print(f"binaries: {name}: {found or _build(BINARIES[name])}", flush=True)
    return 0


def _build(binary: Binary) -> Path:
    if why := missing(binary.name):
        raise BinariesError(why)
    BUILT.mkdir(exist_ok=True)
    start = time.monotonic()
    print(f"binaries: building {binary.name} from {binary.package} (once, minutes)", file=sys.stderr, flush=True)
    partial = BUILT / f"{binary.name}.partial"
    words = ("build", f"-ldflags={binary.flags}", *_patched(binary), "-o", str(partial), binary.package)
    _go(binary, *words)
    target = BUILT / binary.name
    partial.replace(target)
    _stamp_file(binary).write_text(_stamp(binary))
    seconds = time.monotonic() - start
    print(f"binaries: built {binary.name} in {seconds:.0f} s", file=sys.stderr, flush=True)
    return target


def _patched(binary: Binary) -> tuple[str, ...]:
    """Return the words that make a build use a changed copy of the program's sources, where it needs one."""
    if not binary.patch:
        return ()
    sources = _sources(binary)
    name, text, replacement = binary.patch
    content = (sources / name).read_text()
    if replacement not in content and text not in content:
        raise BinariesError(f"{binary.module}'s {name} has no {text!r} any more: look at what listens where")
    (sources / name).write_text(content.replace(text, replacement))
    mod = BUILT / f"{binary.name}.mod"
    module = MODULES / binary.module
    replaced = f"\nreplace {CROSSPLANE_MODULE} => {sources}\n"
    mod.write_text((module / "go.mod").read_text() + replaced)
    mod.with_suffix(".sum").write_bytes((module / "go.sum").read_bytes())
    return (f"-modfile={mod}",)


def _sources(binary: Binary) -> Path:
    """Return a copy of the Crossplane module's sources that can be written to."""
    target = BUILT / f"crossplane-{CROSSPLANE}"
    if not target.is_dir():
        if not shutil.which("go"):
            raise BinariesError(f"no {target.name} beside the programs, and no Go to fetch it: install Go")
        _go(binary, "mod", "download", CROSSPLANE_MODULE)
        original = _go(binary, "list", "-m", "-f", "{{.Dir}}", CROSSPLANE_MODULE).strip()
        partial = BUILT / f"{target.name}.{os.getpid()}.partial"
        shutil.copytree(original, partial, copy_function=shutil.copyfile)
        for folder in (partial, *(path for path in partial.rglob("*") if path.is_dir())):
            folder.chmod(0o755)  # Go's own copy cannot be written to
        partial.rename(target)
    return target


def _go(binary: Binary, *words: str) -> str:
    environment = {**os.environ, "GOFLAGS": "-mod=readonly"}
    done = subprocess.run(
        ("go", *words), cwd=MODULES / binary.module, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BinariesError(f"go {words[0]} failed for {binary.name}:\n{done.stderr.strip()}")
    return done.stdout


def _stamp(binary: Binary) -> str:
    pins = b"".join((MODULES / binary.module / name).read_bytes() for name in ("go.mod", "go.sum"))
    return f"{hashlib.sha256(pins).hexdigest()} {binary.package} {binary.flags} {binary.patch}\n"


def _stamp_file(binary: Binary) -> Path:
    return BUILT / f"{binary.name}.stamp"
