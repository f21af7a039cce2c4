"""The scripts behind the make targets: CRD downloads, stale generated files, the CI run."""

import functools
import http.server
import os
import shutil
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import crds

ROOT = Path(__file__).resolve().parents[2]
TEXT = b"kind: CustomResourceDefinition\n"
PIN = crds.Pin("owner/name/commit/config/a.yaml", "engine/a.yaml", crds.blob_hash(TEXT))


@dataclass
class Upstream:
    """A local server that stands for the source host."""

    folder: Path
    base: str

    def serve(self, pin: crds.Pin, content: bytes) -> None:
        path = self.folder / pin.source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep the output of the tests clean."""


@pytest.fixture
def upstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "upstream"
    folder.mkdir()
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Upstream(folder, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def test_a_crd_is_downloaded_once(upstream: Upstream, tmp_path: Path) -> None:
    target = tmp_path / "crds" / PIN.target
    upstream.serve(PIN, TEXT)
    assert crds.download(PIN, target, upstream.base)
    assert target.read_bytes() == TEXT
    assert not crds.download(PIN, target, "http://127.0.0.1:9")


def test_a_damaged_crd_is_downloaded_again(upstream: Upstream, tmp_path: Path) -> None:
    target = tmp_path / "a.yaml"
    target.write_text("half a fi")
    upstream.serve(PIN, TEXT)
    assert crds.download(PIN, target, upstream.base)
    assert target.read_bytes() == TEXT


def test_a_crd_with_another_hash_is_not_kept(upstream: Upstream, tmp_path: Path) -> None:
    upstream.serve(PIN, b"something else")
    with pytest.raises(crds.DownloadError, match=r"a\.yaml is not the pinned file"):
        crds.download(PIN, tmp_path / "a.yaml", upstream.base)
    assert not (tmp_path / "a.yaml").exists()


def test_a_crd_that_is_gone_upstream_is_named(upstream: Upstream, tmp_path: Path) -> None:
    with pytest.raises(crds.DownloadError, match=r"config/a\.yaml answers 404"):
        crds.download(PIN, tmp_path / "a.yaml", upstream.base)


def test_without_a_network_make_crds_ends_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert crds.main(tmp_path, "http://127.0.0.1:9") == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "cannot be reached" in told
    assert told.endswith("connect and run make crds again\n")


def test_the_hash_of_a_file_is_the_one_git_gives() -> None:
    assert crds.blob_hash(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert crds.blob_hash(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_all_pinned_crds_are_the_ones_at_hand(
    upstream: Upstream, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = os.environ.get("GROUNDPLANE_CRDS")
    at_hand = Path(named) if named else ROOT.parent / "shared" / "crds"
    if not at_hand.is_dir():
        pytest.skip("no upstream CRDs here; make crds downloads them")
    document = tomllib.loads((ROOT / "tools" / "crds.toml").read_text())
    for pin in crds.pins(document):
        upstream.serve(pin, (at_hand / pin.target).read_bytes())
    assert crds.main(tmp_path / "_crds", upstream.base) == 0
    assert crds.main(tmp_path / "_crds", upstream.base) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [
        "crds: 27 files in _crds, 27 of them downloaded now",
        "crds: 27 files in _crds, 0 of them downloaded now",
    ]


def run_script(script: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    (folder / script).parent.mkdir(exist_ok=True)
    shutil.copy(ROOT / script, folder / script)
    command = [str(folder / script)]
    environment = {**os.environ, **env}
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


def stand_in(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("generator", "stale"),
    [
        ("true", []),
        ("echo new >docs/a.md", ["  docs/a.md"]),
        ("echo more >docs/b.md", ["  docs/b.md"]),
        ("rm docs/a.md", ["  docs/a.md"]),
    ],
)
def test_stale_generated_files_are_named(tmp_path: Path, generator: str, stale: list[str]) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("old\n")
    stand_in(tmp_path / ".venv" / "bin" / "python", generator)
    done = run_script("tools/check-generated.sh", tmp_path)
    assert done.returncode == (1 if stale else 0)
    assert done.stderr.splitlines()[1:] == stale


def test_a_generator_that_fails_fails_the_check(tmp_path: Path) -> None:
    stand_in(tmp_path / ".venv" / "bin" / "python", "exit 7")
    assert run_script("tools/check-generated.sh", tmp_path).returncode == 7


PARTS = ["test", "check", "demo", "clients", "faults GROUNDPLANE_KILLS=5 GROUNDPLANE_MOMENTS=4", "embedded"]
PARTS += ["binaries", "controlplane", "planes", "conformance", "browser", "bench BENCH=quick"]


@dataclass
class Ran:
    """How a run of everything went: what it made, and what it said in its last line."""

    code: int
    made: list[str]
    lines: list[str]

    @property
    def last(self) -> str:
        return self.lines[-1]


def run_ci(folder: Path, script: str = "true", **env: str) -> Ran:
    """Run everything, each part of which is *script*; Go has built before unless GOCACHE says another folder."""
    make = stand_in(folder / "bin" / "make", f'echo "$*" >>calls; {script}')
    stand_in(make.parent / "chromium", "")
    (folder / "go-build").mkdir()
    (folder / "go-build" / "00").touch()
    around = {"PATH": f"{make.parent}:{os.environ['PATH']}", "GOCACHE": str(folder / "go-build"), **env}
    done = run_script(".ci/run", folder, **around)
    calls = folder / "calls"
    return Ran(done.returncode, calls.read_text().splitlines() if calls.exists() else [], done.stdout.splitlines())


@pytest.mark.parametrize("broken", ["", *(part.split()[0] for part in PARTS)])
def test_ci_runs_every_part_and_fails_when_one_does(tmp_path: Path, broken: str) -> None:
    ran = run_ci(tmp_path, f'[ "$1" != "{broken}" ]')
    assert ran.made == PARTS
    assert ran.code == (1 if broken else 0)
    assert ran.last.startswith("ci: test ")
    assert (f"{broken} FAILED" in ran.last) if broken else ("all passed after" in ran.last)


def test_ci_counts_a_part_that_lacks_a_program_as_skipped(tmp_path: Path) -> None:
    ran = run_ci(tmp_path, '[ "$1" != browser ] || echo "browser: skipped: there is none"')
    assert "browser skipped" in ran.last
    assert " passed, 1 skipped, after " in ran.last
    assert ran.code == 0


def test_ci_leaves_out_what_does_not_fit_any_more_and_says_so(tmp_path: Path) -> None:
    ran = run_ci(tmp_path, SECONDS="4010")  # where bash begins to count
    assert ran.made == ["test", "check", *PARTS[2:5], "binaries", *PARTS[8:]]
    assert "controlplane: skipped: no time left (66 of 75 minutes used)" in ran.lines
    assert "embedded skipped, binaries ok" in ran.last
    assert " passed, 2 skipped, after 4" in ran.last
    assert ran.code == 0


def test_ci_that_has_used_all_its_time_runs_nothing_more(tmp_path: Path) -> None:
    ran = run_ci(tmp_path, SECONDS="300", GROUNDPLANE_CI_MINUTES="5")
    assert ran.made == []
    assert f", {len(PARTS)} skipped, after " in ran.last


def test_ci_knows_that_a_first_build_takes_longer(tmp_path: Path) -> None:
    ran = run_ci(tmp_path, SECONDS="4010", GOCACHE=str(tmp_path / "new"))
    assert ran.made == ["test", *PARTS[1:5], *PARTS[10:]]


def test_ci_ends_a_part_that_never_ends(tmp_path: Path) -> None:
    """Its own clock is not waited for: what it gives a part is noted, and becomes half a second for one of them."""
    timeout = shutil.which("timeout")
    impatient = f'shift; echo "$1" >>left; shift; [ "$2" = bench ] || exec "$@"; exec {timeout} 0.5 "$@"'
    stand_in(tmp_path / "bin" / "timeout", impatient)
    ran = run_ci(tmp_path, '[ "$1" != bench ] || exec sleep 60', SECONDS="240")
    assert ran.made == PARTS
    assert "bench: ended: no time left (4 of 75 minutes used)" in ran.lines
    assert "bench FAILED" in ran.last
    assert ran.code == 1
    left = [int(line) for line in (tmp_path / "left").read_text().splitlines()]
    assert all((75 + 10) * 60 - 240 - 60 <= one <= (75 + 10) * 60 - 240 for one in left)


@pytest.mark.parametrize("user", ["0", "1000"])
def test_ci_installs_what_the_system_lacks_where_it_may(tmp_path: Path, user: str) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "dirname", "grep", "ls", "mktemp", "rm", "sleep", "tee", "timeout"):
        (programs / name).symlink_to(shutil.which(name) or name)
    stand_in(programs / "make", "")
    stand_in(programs / "python3", "")
    stand_in(programs / "id", f"echo {user}")
    stand_in(programs / "apt-get", 'echo "$*" >>installed')
    (tmp_path / "installed").touch()
    done = run_script(".ci/run", tmp_path, PATH=str(programs), GROUNDPLANE_CHROMIUM="")
    assert done.returncode == 0
    installed = (tmp_path / "installed").read_text().splitlines()
    assert installed == (["update -qq", "install -y -qq --no-install-recommends chromium"] if user == "0" else [])
