"""A plane with claims, the page's command, and a browser whose every request is recorded."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from browser import ARGUMENTS, chromium
from page_machine import EXAMPLES, REFUSED, SECONDS, Machine, Open, Recorded, Ui


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    folder = Path(tempfile.mkdtemp(prefix="gp-"))  # a socket's path has 107 letters at most
    made = Machine(folder / "h")
    try:
        made.run("groundplane", "up")
        for namespace in ("team-a", "sandbox"):
            made.kubectl("create", "namespace", namespace)
        for example in EXAMPLES:
            made.kubectl("apply", "-f", example)
        # Nothing here survives the loss of a zone, and nobody waives it: this one is refused, or never serves.
        made.apply(REFUSED, "team-a", restore={"from": "Claim", "claimRef": {"name": "nowhere"}})
        for claim in ("team-a/orders", "sandbox/scratch"):
            namespace, name = claim.split("/")
            made.kubectl(
                "-n", namespace, "wait", f"xdb/{name}", "--for=condition=BackupCurrent", f"--timeout={SECONDS}s"
            )
        yield made
    finally:
        made.run("groundplane", "down")
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def ui(machine: Machine) -> Iterator[Ui]:
    made = Ui(machine)
    made.start()
    yield made
    made.end()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        yield made
        made.close()


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def tab(browser: Browser, ui: Ui, recorded: Recorded) -> Iterator[Open]:
    """Return what opens a tab; at the end nothing may have been asked of anybody else, or been complained about."""
    contexts = []

    def opened(page: str = "#/", *, width: int = 1100, height: int = 900, address: str = "", **more: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **more)
        contexts.append(context)
        made = context.new_page()
        made.set_default_timeout(15_000)

        def asked(request: Request) -> None:
            recorded.requests.append(request.url)

        def complained(message: ConsoleMessage) -> None:
            # That a request failed is what some tests want.
            if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
                recorded.complaints.append(message.text)

        made.on("request", asked)
        made.on("console", complained)
        made.on("pageerror", lambda error: recorded.complaints.append(str(error)))
        made.goto(address or ui.address)
        if not address:
            made.wait_for_selector(".claim")
            made.evaluate("there => { location.hash = there }", page)
        return made

    yield opened
    for context in contexts:
        context.close()
    assert recorded.requests
    assert [url for url in recorded.requests if not url.startswith(ui.origin)] == []
    assert not any("token=" in url.partition("#")[0] for url in recorded.requests)
    assert recorded.complaints == []
