"""The table of clients in docs/bindings.md, which the run writes."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from boundclients.catalogue import CLIENTS, ROOT, Client

PAGE = ROOT / "docs" / "bindings.md"
_MARKED = re.compile(r"(<!-- clients -->\n).*?(<!-- end of clients -->)", re.DOTALL)
_HEADER = ("client", "versions", "how it reads the binding", "what a person writes", "result")


def rows(text: str) -> dict[str, str]:
    """Return the rows of the table in *text*, by the client's name."""
    match = _MARKED.search(text)
    lines = match[0].splitlines() if match else []
    return {line.split("`")[1]: line for line in lines if line.startswith("| `")}


def row(client: Client, result: str) -> str:
    """Return the row of *client*."""
    written = "<br>".join(f"`` {word} ``" if "`" in word else f"`{word}`" for word in client.words())
    cells = (f"`{client.name}`", client.versions(), client.reads, written, result)
    return f"| {' | '.join(cells)} |"


def written(text: str, results: Mapping[str, str]) -> str:
    """Return *text* with the rows of *results*; a client that did not run keeps the row it had."""
    before = rows(text)
    fresh = {client.name: row(client, results[client.name]) for client in CLIENTS if client.name in results}
    found = [fresh.get(client.name) or before.get(client.name) for client in CLIENTS]
    table = _table(line for line in found if line)
    return _MARKED.sub(lambda match: f"{match[1]}\n{table}\n\n{match[2]}", text)


def _table(lines: Iterable[str]) -> str:
    return "\n".join([f"| {' | '.join(_HEADER)} |", f"|{' --- |' * len(_HEADER)}", *lines])


def write(results: Mapping[str, str], page: Path = PAGE) -> bool:
    """Write *results* into the page; return whether it changed."""
    before = page.read_text()
    after = written(before, results)
    page.write_text(after)
    return after != before
