"""What a person sees: kubectl's own output for a claim, kept as goldens. GOLDEN=write writes them again."""

import os
import re
from pathlib import Path

import pytest

from controlplane.cluster import ROOT, Cluster, Team, orders
from controlplane.resting import rests

FOLDER = Path(__file__).parent / "shown"
CHANGING = (
    (re.compile(r"team-[0-9a-f]{8}"), "team-a"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"(xdatabase-[a-z]+)-[0-9a-f]{7}\b"), r"\1-<hash>"),
    (re.compile(r"\b(orders-db-1)-[0-9a-f]{8}\b"), r"\1-<life>"),
    (re.compile(r"(Resource Version: +|Generation: +)\d+"), r"\1<number>"),
)
SINCE = re.compile(r"\b(\d+[smhd])+(?=\s)")
GAPS = re.compile(r"(?<=\S) {2,}")
COMMANDS = {
    "get": ("get", "xdb"),
    "get-wide": ("get", "xdb", "-o", "wide"),
    "describe": ("describe", "xdb", "orders"),
    "explain": ("explain", "xdb", "--recursive"),
}


@pytest.fixture(scope="module")
def served(living: Cluster) -> Team:
    team = living.team("kubernetes")
    team.apply(orders())
    team.ready()
    # Crossplane writes status twice a reconcile, first with the conditions that its cache had: one reconcile later, a
    # claim that was Ready already may for an instant say what it said before.
    rests(team)
    return team


@pytest.mark.parametrize("name", COMMANDS)
def test_what_kubectl_shows_of_a_claim_reads_well(served: Team, name: str) -> None:
    shown = stable(served.run(*COMMANDS[name]))
    path = FOLDER / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown)
    assert shown == path.read_text()


def test_the_guide_shows_the_same() -> None:
    table = (
        (ROOT / "docs" / "guides" / "application-team.md")
        .read_text()
        .partition("```text\nNAME  ")[2]
        .partition("```")[0]
    )
    assert stable(f"NAME  {table}") == (FOLDER / "get.txt").read_text()


def stable(text: str) -> str:
    """Return *text* without what is another thing each time; events come and go, so they are left out."""
    text = text.partition("\nEvents:")[0]
    for pattern, word in CHANGING:
        text = pattern.sub(word, text)
    if text.startswith("NAME "):  # a table: its columns are as wide as what stands in them
        text = GAPS.sub("   ", SINCE.sub("<since>", text))
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
