"""The page for everybody: names, headings, contrast in both schemes, narrow screens, focus that is seen."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from page_machine import REFUSED, Open, Ui

AUDIT = (Path(__file__).parent / "audit.js").read_text().partition("\n")[2]
PAGES = {
    "claims": ("#/", ".claim"),
    "claim": ("#/claim/xdatabases/team-a/orders", ".happened li"),
    "claim that does not serve": (f"#/claim/xdatabases/team-a/{REFUSED}", ".notice"),
    "plane": ("#/plane", "#part-compositions table"),
}
SEEN = """() => {
  const node = document.activeElement, { top, bottom } = node.getBoundingClientRect();
  const outlined = getComputedStyle(node).outlineStyle !== "none";
  return [node.textContent.trim().slice(0, 30), outlined, bottom > 0 && top < innerHeight];
}"""
Scheme = Literal["light", "dark"]
WIDTHS = (320, 1100)


def look(page: Page) -> list[str]:
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    found: list[str] = page.evaluate(AUDIT)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_nothing_keeps_people_from_using_the_page(tab: Open, name: str, width: int, scheme: Scheme) -> None:
    there, there_is = PAGES[name]
    page = tab(there, width=width, color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator(there_is).first).to_be_visible()
    assert look(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nor_from_using_the_page_for_the_token(tab: Open, ui: Ui, scheme: Scheme) -> None:
    page = tab(address=ui.origin, width=320, color_scheme=scheme)
    expect(page.locator("form")).to_be_visible()
    assert look(page) == []


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        ("document.querySelector('h2').outerHTML", None),
        ("document.querySelector('nav a').textContent = ''", "no name"),
        ("document.querySelector('.quiet').style.color = '#bbb'", "contrast"),
        ("document.querySelectorAll('h2').forEach(one => one.remove())", "a heading is left out"),
        ("document.querySelector('.claim').id = 'main'", "two of id main"),
        ("document.querySelector('main').style.minWidth = '2000px'", "wide, where"),
        ("document.querySelector('.sign').style.color = '#eee'", "contrast of a sign"),
    ],
)
def test_the_look_itself_finds_what_is_wrong(tab: Open, breaks: str, told: str | None) -> None:
    page = tab()
    page.evaluate(breaks)
    found = look(page)
    assert any(told in one for one in found) if told else found == []


def test_the_schemes_differ_and_follow_the_person(tab: Open) -> None:
    colours = {
        tab(color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    }
    assert len(colours) == 2


def test_nothing_moves_for_who_wants_no_motion(tab: Open) -> None:
    script = (
        "[...document.querySelectorAll('*')].filter(one => getComputedStyle(one).transitionDuration !== '0s').length"
    )
    assert tab(reduced_motion="reduce").evaluate(script) == 0
    assert tab(reduced_motion="no-preference").evaluate(script) > 0


def test_focus_is_seen_wherever_it_goes(tab: Open) -> None:
    page = tab(PAGES["claim"][0])
    expect(page.locator(".happened li").first).to_be_visible()
    page.reload()  # so that it begins at the top
    expect(page.locator(".happened li").first).to_be_visible()
    count = 0
    while page.evaluate("document.activeElement.id") != "log":  # the last one
        page.keyboard.press("Tab")
        seen = page.evaluate(SEEN)
        assert seen[1:] == [True, True], seen[0]
        count += 1
    assert count > 10
