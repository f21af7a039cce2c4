"""The page in a browser: what people see and do."""

import os
import re
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from page_machine import REFUSED, Machine, Open, Ui

ORDERS = "#/claim/xdatabases/team-a/orders"
expect.set_options(timeout=20_000)


def claim(page: Page, name: str) -> object:
    return page.locator(".claim", has=page.get_by_role("link", name=name, exact=True))


def focused(page: Page) -> str:
    found: str = page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id")
    return found


def test_claims_are_listed_by_namespace_in_words_with_signs(tab: Open) -> None:
    page = tab()
    expect(page.locator("main h2")).to_have_text(["sandbox", "team-a"])
    expect(page.locator(".claim h3")).to_have_text(["scratch", "orders", REFUSED])
    orders = page.locator(".claim").nth(1)
    expect(orders.locator(".badge")).to_have_text("Serving")
    expect(orders.locator("dt")).to_have_text(["Ready", "Accepted", "Serving", "Backup"])
    expect(orders.locator("dd")).to_have_text(["Ready", "Accepted", "Serving", "Current"])
    expect(orders.locator("dd svg")).to_have_count(4)
    assert page.locator(".claim").nth(2).locator(".badge").inner_text() != "Serving"
    expect(page.locator("#link")).to_have_text("Live")


def test_a_new_claim_appears_by_itself_is_told_and_goes(tab: Open, machine: Machine) -> None:
    page = tab()
    link = page.get_by_role("link", name="passing", exact=True)
    expect(link).to_have_count(0)
    machine.apply("passing")
    expect(link).to_be_visible()
    expect(page.locator("#told")).to_contain_text("passing in sandbox")
    expect(page.locator(".claim").filter(has=link).locator(".badge")).to_have_text("Serving")
    machine.kubectl("-n", "sandbox", "delete", "xdb", "passing")
    expect(link).to_have_count(0)
    expect(page.locator("#told")).to_contain_text("passing in sandbox: deleted.")


def test_a_claim_is_reached_and_read_by_keyboard_alone(tab: Open) -> None:
    page = tab()
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert focused(page) == "scratch"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("orders")
    assert page.evaluate("document.activeElement.id") == "main"
    seen = []
    for _ in range(30):
        page.keyboard.press("Tab")
        seen.append(focused(page))
        if seen[-1] == "The same as a table":
            page.keyboard.press("Enter")
        if seen[-1] == "Conditions":
            page.keyboard.press("Space")
        if page.evaluate("document.activeElement.id") == "log":
            break
    assert page.evaluate("document.activeElement.id") == "log"
    expect(page.get_by_role("table", name="What this claim is made of")).to_be_visible()
    expect(page.get_by_role("button", name="Conditions")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".happened .events")).to_have_count(0)


def test_focus_stays_where_it_is_when_something_changes(tab: Open, machine: Machine) -> None:
    page = tab()
    page.get_by_role("link", name="scratch", exact=True).focus()
    machine.apply("aaa")
    expect(page.get_by_role("link", name="aaa", exact=True)).to_be_visible()
    assert focused(page) == "scratch"
    page.get_by_role("link", name="scratch", exact=True).evaluate("link => { link.seen = true }")
    machine.kubectl("-n", "sandbox", "delete", "xdb", "aaa")
    expect(page.get_by_role("link", name="aaa", exact=True)).to_have_count(0)
    assert focused(page) == "scratch"
    assert page.evaluate("document.activeElement.seen")


def test_a_claim_says_how_to_use_it_and_never_what_is_secret(tab: Open, machine: Machine) -> None:
    page = tab(ORDERS)
    status = machine.get("-n", "team-a", "xdb", "orders")["status"]
    endpoint = status["endpoints"][0]
    expect(page.locator("#part-use")).to_contain_text(f"{endpoint['host']}:{endpoint['port']}")
    expect(page.locator("#part-use")).to_contain_text("orders-db-binding")
    expect(page.locator("#part-backups")).to_contain_text("any moment since")
    expect(page.locator("#part-conditions li")).to_have_count(len(status["conditions"]))
    password = machine.run("groundplane", "binding", "xdb/orders", "-n", "team-a", "-o", "json")
    secret = re.search(r'"PGPASSWORD": "([^"]+)"', password)
    assert secret
    assert secret[1] not in page.content()
    told = page.evaluate(
        """async () => (await fetch("/api/v1/namespaces/team-a/secrets/orders-db-binding", {
            headers: {Authorization: `Bearer ${sessionStorage.getItem("groundplane.token")}`}})).status"""
    )
    assert told == 403


def test_the_timeline_has_conditions_and_events_newest_first(tab: Open) -> None:
    page = tab(ORDERS)
    expect(page.locator(".happened .conditions").first).to_be_visible()
    expect(page.locator(".happened .events").first).to_be_visible()
    page.get_by_role("button", name=re.compile("Show .* older")).click()
    moments = [
        datetime.fromisoformat(str(one.get_attribute("datetime"))) for one in page.locator(".happened time").all()
    ]
    assert len(moments) > 20
    assert moments == sorted(moments, reverse=True)
    expect(page.locator(".happened time").first).to_have_text(re.compile("ago|just now"))
    expect(page.locator(".happened .when").first).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))


def test_the_graph_has_an_edge_for_each_resource_and_a_table_that_says_the_same(tab: Open, machine: Machine) -> None:
    page = tab(ORDERS)
    refs = machine.get("-n", "team-a", "xdb", "orders")["spec"]["crossplane"]["resourceRefs"]
    expect(page.locator("svg.graph path.edge")).to_have_count(len(refs))
    edges = [one.get_attribute("data-edge") for one in page.locator("svg.graph path.edge").all()]
    assert edges == [f"{one['kind']}/{one['name']}" for one in refs]
    expect(page.locator("svg.graph")).to_have_attribute("aria-label", re.compile("Process orders-db-1: Running"))
    page.get_by_text("The same as a table").click()
    rows = page.get_by_role("table", name="What this claim is made of").locator("tbody th")
    expect(rows).to_have_text([one["name"] for one in refs])


def test_logs_are_followed_until_told_otherwise(tab: Open, machine: Machine) -> None:
    page = tab(ORDERS)
    log = page.locator("#log")
    expect(log).to_contain_text("database system is ready")
    file = machine.home / "logs" / "team-a" / "process-orders-db-1.log"
    with file.open("a") as opened:
        opened.write("a line of the test\n")
    expect(log).to_contain_text("a line of the test")
    page.get_by_label("Follow").uncheck()
    with file.open("a") as opened:
        opened.write("a second line\n")
    with page.expect_response(re.compile("/logs")):  # the other program's log is asked for at once
        page.get_by_label("Program", exact=True).select_option("Task/orders-db-1-init")
    expect(log).not_to_contain_text("a line of the test")
    assert "a second line" not in log.inner_text()


def test_the_plane_says_what_it_is(tab: Open) -> None:
    page = tab("#/plane")
    expect(page.locator("#part-about")).to_contain_text("XDatabase")
    expect(page.locator("#part-compositions tbody th")).to_have_text(
        ["xdatabase-cnpg", "xdatabase-local", "xdatabase-rds"]
    )
    page.locator("summary", has_text="local").click()
    expect(page.get_by_role("region", name="Environment local")).to_contain_text("database: local")


def test_the_token_leaves_the_address_and_stays_in_the_tab(tab: Open, ui: Ui) -> None:
    page = tab()
    token = ui.address.partition("token=")[2]
    assert token not in page.url
    assert page.evaluate("sessionStorage.getItem('groundplane.token')") == token
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    page.reload()
    expect(page.locator(".claim").first).to_be_visible()


@pytest.mark.parametrize("there", ["", "#token=wrong", "#token=%C3%BC"])
def test_a_wrong_token_is_told_and_the_right_one_can_be_entered(tab: Open, ui: Ui, there: str) -> None:
    page = tab(address=ui.origin + there)
    expect(page.locator("h1")).to_have_text("The plane does not know this token")
    page.get_by_label("Token").fill(ui.address.partition("token=")[2])
    page.keyboard.press("Enter")
    expect(page.locator(".claim").first).to_be_visible()


def test_a_claim_that_is_not_there_is_told(tab: Open) -> None:
    page = tab("#/claim/xdatabases/team-a/gone")
    expect(page.locator("main")).to_contain_text("This claim is not there")


def test_the_page_finds_its_server_and_the_plane_again(tab: Open, machine: Machine, ui: Ui) -> None:
    page = tab()
    ui.end()
    expect(page.get_by_role("alert")).to_contain_text("Connection lost")
    expect(page.locator(".claim").first).to_be_visible()
    ui.start()
    expect(page.get_by_role("alert")).to_be_empty()
    machine.run("groundplane", "down")
    expect(page.get_by_role("alert")).to_contain_text("the plane does not answer")
    expect(page.locator("#link")).to_have_text("Not connected")
    machine.run("groundplane", "up")
    page.get_by_role("button", name="Try now").click() if page.get_by_role("button", name="Try now").count() else None
    expect(page.locator("#link")).to_have_text("Live")
    expect(page.get_by_role("alert")).to_be_empty()
    machine.apply("after")
    expect(page.get_by_role("link", name="after", exact=True)).to_be_visible()
    machine.kubectl("-n", "sandbox", "delete", "xdb", "after")
    expect(page.get_by_role("link", name="after", exact=True)).to_have_count(0)


@pytest.mark.skipif("GROUNDPLANE_PICTURE" not in os.environ, reason="taken by: python tools/browser.py --picture")
def test_the_picture_of_the_documents(tab: Open, machine: Machine) -> None:
    page = tab(width=1000, height=400)
    machine.kubectl("-n", "sandbox", "delete", "xdb", "scratch")  # two claims are enough for a picture
    expect(page.locator(".claim h3")).to_have_text(["orders", REFUSED])
    path = Path(os.environ["GROUNDPLANE_PICTURE"])
    page.screenshot(path=path, full_page=True)
    assert path.stat().st_size < 200_000
