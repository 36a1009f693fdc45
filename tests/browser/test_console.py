"""Operators work in the console of a running `calfeed serve`, with and without JavaScript."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.site import Site, until
from tests.browser.axe import violations
from tests.browser.conftest import Visit, visiting
from tests.browser.keyboard import keyboard_faults
from tests.loopback import Handler, Loopback
from tests.patience import PATIENCE

TOKEN = "a-token-that-nobody-guesses"
BROKEN = "name: Broken\ntime_zone: Europe/Nowhere\nevents: {}\n"


class Receiver(Loopback):
    """A receiver of one desk: it answers with `status`, once `is_open` is set."""

    def __init__(self) -> None:
        super().__init__(_Answer)
        self.status = 204
        self.is_open = threading.Event()
        self.is_open.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.is_open.set()
        super().__exit__(*error)


class _Answer(Handler):
    def do_POST(self) -> None:  # noqa: N802 - the name is http.server's
        self.read_body()
        self.server.owner.is_open.wait(PATIENCE)
        self.send_response(self.server.owner.status)
        self.send_header("Content-Length", "0")
        self.end_headers()


@dataclass(frozen=True)
class Served:
    """A site that is served, and the link that it printed."""

    site: Site
    link: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    site = Site(tmp_path_factory.mktemp("served") / "site")
    site.remind("afghan-refugees-pakistan")
    with site.serving(environment={"CALFEED_ADMIN_TOKEN": TOKEN}) as serve:
        link = re.search(r"/console/enter\?once=\S+", serve.output)
        assert link
        yield Served(site, link[0])


@pytest.fixture
def console(served: Served, chromium: Browser) -> Iterator[Visit]:
    """Opens a page of the console as a visitor who has yet to sign in."""
    with visiting(chromium, served.site.url) as open_page:
        yield open_page


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def sign_in(page: Page) -> None:
    page.get_by_label("Admin token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def open_room(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def add_endpoint(page: Page, receiver: Receiver) -> None:
    """Add an endpoint that gets reminders only, and go to its page."""
    open_room(page, "Endpoints")
    page.get_by_role("link", name="Add an endpoint").click()
    page.get_by_label("URL").fill(receiver.url)
    page.get_by_label("Description").fill("The desk's phone")
    page.get_by_label("reminder.due").check()
    page.get_by_role("button", name="Add the endpoint").click()
    assert page.get_by_label("Secret").input_value().startswith("whsec_")
    page.get_by_role("link", name="I saved it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The desk's phone")


def send_rehearsal(page: Page) -> None:
    """Rehearse June 2025 from the page of an endpoint; it has the end of the stay."""
    page.get_by_role("link", name="Rehearse").click()
    page.get_by_label("From").fill("2025-06-01")
    page.get_by_label("To (inclusive)").fill("2025-06-30")
    page.get_by_role("button", name="Send the rehearsal").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rehearsal")


def tab_to(page: Page, name: str, title: str) -> None:
    """Go on with the Tab key, on the page of this title, to what has this label or text."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(
            "name => { const one = document.activeElement;"
            " return [one, ...(one.labels ?? [])]"
            ".some(each => each.textContent.trim().startsWith(name)) }",
            name,
        ):
            return
    pytest.fail(f"the Tab key does not reach {name}")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_an_endpoint_is_added_tested_broken_and_sent_to_again(
    console: Visit, receiver: Receiver, script: bool
) -> None:
    page = console("/console/", java_script_enabled=script)
    sign_in(page)
    add_endpoint(page, receiver)
    endpoint = page.url
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("status")).to_contain_text("Received with status 204")
    expect(page.locator("section", has_text="Attempts").locator("li")).to_have_count(1)
    expect(page.locator(".attempt")).to_have_text("status 204")

    receiver.status = 410
    page.goto(endpoint)
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("status")).to_contain_text("the receiver responded with status 410")
    expect(page.locator(".attempt")).to_have_text("status 410")
    failed = page.url
    page.goto("/console/")
    expect(page.get_by_role("region", name="Recent failures")).to_contain_text("failed")
    page.goto(endpoint)
    expect(page.locator(".opening")).to_contain_text("disabled")

    receiver.status = 204
    page.goto(failed)
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_role("status")).to_contain_text("held until the endpoint is resumed")
    page.goto(endpoint)
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("status")).to_contain_text("1 being sent now")

    def is_received() -> bool:
        page.goto(failed)
        return "delivered" in page.locator(".opening").inner_text()

    until(is_received, "the worker sends it again")
    expect(page.locator(".attempt")).to_have_text(["status 410", "status 204"])


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_rehearsal_is_watched_until_it_has_arrived(
    console: Visit, receiver: Receiver, script: bool
) -> None:
    page = console("/console/", java_script_enabled=script)
    sign_in(page)
    add_endpoint(page, receiver)
    receiver.is_open.clear()
    send_rehearsal(page)
    tally = page.locator(".tally")
    expect(tally).to_contain_text("being sent")
    count = page.locator("#live li").count()
    assert count > 0
    expect(tally).to_contain_text(f"0 of {count} received")
    if script:
        page.evaluate("window.stayed = true")
    receiver.is_open.set()
    expect(tally).to_have_text(f"{count} of {count} received.", timeout=PATIENCE * 1000)
    expect(page.locator("#live .status")).to_have_text(["delivered"] * count)
    if script:
        assert page.evaluate("window.stayed"), "the page was not loaded anew"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_signing_out_ends_the_session_in_every_tab_and_the_list_ends_those_of_others(
    console: Visit, script: bool
) -> None:
    page = console("/console/", java_script_enabled=script)
    assert page.context.cookies() == []
    sign_in(page)
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], TOKEN in cookie["value"]) == (
        *(True, "Strict", False),
    )
    other = console("/console/", java_script_enabled=script)
    sign_in(other)
    page.get_by_role("link", name="Sessions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sessions")
    rows = page.locator(".rows .row")
    expect(rows.filter(has_text="This browser")).to_have_count(1)
    expect(rows.filter(has_text="with the admin token").first).to_be_visible()
    if script:
        assert violations(page) == [], page.url
    page.get_by_role("button", name="End all others").click()
    expect(page.get_by_role("status")).to_contain_text("Other sessions ended")
    expect(rows).to_have_count(1)
    other.reload()
    expect(other.get_by_label("Admin token")).to_be_visible()

    tab = page.context.new_page()
    tab.goto("/console/endpoints")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Endpoints")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    page.context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": page.url}])
    tab.reload()
    expect(tab.get_by_label("Admin token")).to_be_visible()


def test_a_broken_definition_is_seen_with_its_line(console: Visit, served: Served) -> None:
    page = console("/console/definitions")
    sign_in(page)
    expect(page.locator(".lead")).to_contain_text("are valid")
    served.site.write("broken.yaml", BROKEN)
    try:
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("One problem prevents")
        expect(page.locator(".row")).to_contain_text("broken.yaml:2:")
        expect(page.locator(".row")).to_contain_text("Europe/Nowhere")
        assert violations(page) == [], page.url
    finally:
        (served.site.events / "broken.yaml").unlink()


def test_by_keyboard_alone_one_signs_in_and_adds_an_endpoint(
    console: Visit, receiver: Receiver
) -> None:
    page = console("/console/")
    expect(page.get_by_label("Admin token")).to_be_focused()
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    tab_to(page, "Endpoints", "Overview")
    page.keyboard.press("Enter")
    tab_to(page, "Add an endpoint", "Endpoints")
    page.keyboard.press("Enter")
    tab_to(page, "URL", "Add an endpoint")
    page.keyboard.type(receiver.url)
    tab_to(page, "Description", "Add an endpoint")
    page.keyboard.type("By hand")
    tab_to(page, "reminder.due", "Add an endpoint")
    page.keyboard.press("Space")
    tab_to(page, "Add the endpoint", "Add an endpoint")
    page.keyboard.press("Enter")
    tab_to(page, "Secret", "Endpoint added")
    secret = page.evaluate("getSelection().toString()")
    assert secret.startswith("whsec_"), "what has the focus is chosen, and so one key from copied"
    tab_to(page, "I saved it", "Endpoint added")
    page.keyboard.press("Enter")
    tab_to(page, "Send a test", "By hand")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Received with status 204")


def test_the_printed_link_signs_in_and_no_page_on_the_way_has_a_fault(
    console: Visit, served: Served, receiver: Receiver
) -> None:
    page = console(served.link)
    assert violations(page) == [], page.url
    page.get_by_role("button", name="Sign in to the console").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    page.goto("/console/endpoints/new")
    page.get_by_label("URL").fill("https://user:word@example.org/")
    page.get_by_label("Messages per minute").fill("often")
    page.get_by_role("button", name="Add the endpoint").click()
    expect(page.get_by_role("alert")).to_be_focused()
    assert violations(page) == [], page.url
    page.get_by_label("URL").fill(receiver.url)
    page.get_by_label("Messages per minute").fill("")
    page.get_by_role("button", name="Add the endpoint").click()
    expect(page.get_by_label("Secret")).to_be_visible()
    assert violations(page) == [], page.url
    page.get_by_role("link", name="I saved it").click()
    expect(page.get_by_role("button", name="Send a test")).to_be_visible()
    endpoint = page.url
    send_rehearsal(page)
    expect(page.locator(".tally")).to_contain_text("received.")
    assert violations(page) == [], page.url
    page.goto(endpoint)
    receiver.status = 410
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("status")).to_contain_text("the receiver responded with status 410")
    assert violations(page) == [], page.url
    for path in (
        "/console/",
        "/console/endpoints",
        endpoint,
        f"{endpoint}/change",
        f"{endpoint}/remove",
        "/console/deliveries",
        "/console/reminders?from=2026-12-01&to=2026-12-31",
        "/console/events/afghan-refugees-pakistan/stay-ends",
        "/console/rehearsals/new",
        "/console/publishes",
        "/console/publishes/1",
        "/console/definitions",
        "/console/feeds",
        "/console/nothing-here",
    ):
        page.goto(path)
        assert violations(page) == [], page.url
        page.goto(path)
        assert keyboard_faults(page) == [], page.url
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    assert violations(page) == [], page.url
