"""A browser is notified when a date moves: page, server, worker, push service and service
worker."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.site import Site, until
from tests.browser.conftest import visiting
from tests.delivery.push_client import PushClient
from tests.delivery.receiver import Receiver

COURT = (
    "name: Court\ntime_zone: Asia/Karachi\nevents:\n  hearing: {{summary: Hearing, start: {}}}\n"
)
CONTACT = {"CALFEED_PUSH_CONTACT": "mailto:desk@example.org", "CALFEED_GRACE": "0"}

# A push service of a browser's maker cannot be reached from here, so the browser's subscription is
# one with the test's own keys; the rest of the browser is as it is.
SUBSCRIPTION = """
const made = { endpoint: %s, toJSON: () => ({ endpoint: %s, keys: { p256dh: %s, auth: %s } }),
  unsubscribe: async () => { window.subscribed = null; return true; } };
window.subscribed = null;
PushManager.prototype.subscribe = async function (options) {
  if (!options.userVisibleOnly || !options.applicationServerKey) throw new Error("options");
  return (window.subscribed = made);
};
PushManager.prototype.getSubscription = async () => window.subscribed;
"""


@pytest.fixture(params=["", "/dates"], ids=["root", "path"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A site at the root of its host, and one below a path; `url` is the public one."""
    site = Site(tmp_path_factory.mktemp("push"))
    site.write("court.yaml", COURT.format("2030-06-12"))
    site.url += request.param
    with site.serving(environment={**CONTACT, "CALFEED_PUBLIC_URL": site.url}):
        yield site


def open_as(page: Page, client: PushClient, resource: str) -> None:
    keys = client.receiver(resource)
    values = [json.dumps(text) for text in (resource, resource, keys.client_key, keys.auth)]
    page.add_init_script(SUBSCRIPTION % tuple(values))


def test_a_browser_that_asked_is_told_of_a_move(site: Site, chromium: Browser) -> None:
    """One click; a greeting; then the move, once it is announced; another click ends it."""
    client = PushClient()
    address = f"{site.url}/calendars/court/hearing/"
    with Receiver() as service, visiting(chromium, site.url) as visit:
        page = visit(f"{site.url}/", permissions=["notifications"])
        open_as(page, client, service.url("/status/201"))
        page.goto(address)
        button = page.locator(".push button")
        expect(button).to_have_text("Tell this browser when it moves")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        (greeting,) = until(lambda: service.posts, "the greeting")
        assert "will see it here" in json.loads(client.read(greeting.body))["text"]
        site.write("court.yaml", COURT.format("2030-06-19"))
        posts = until(lambda: service.posts[1:], "the move")
        told = json.loads(client.read(posts[0].body))
        assert told["title"] == "Moved: Hearing"
        assert "19 June 2030" in told["text"]
        assert told["page"] == address
        button.click()
        expect(button).to_have_attribute("aria-pressed", "false")
        assert page.evaluate("window.subscribed") is None


def test_the_service_worker_is_for_the_whole_site(site: Site, chromium: Browser) -> None:
    """It starts in the browser, under the policy of the pages, and is for all of them."""
    with visiting(chromium, site.url) as visit:
        page = visit(f"{site.url}/calendars/court/hearing/")
        scope = page.evaluate(
            """async (script) => {
              await navigator.serviceWorker.register(script);
              return (await navigator.serviceWorker.ready).scope;
            }""",
            f"{site.url}/push-worker.js",
        )
        assert scope == f"{site.url}/"


def test_without_a_contact_nobody_is_offered_push(
    tmp_path: str, house: str, chromium: Browser
) -> None:
    """No button, no service worker: push is off until the operator turns it on."""
    with visiting(chromium, house) as visit:
        page = visit("/calendars/desk/visa/")
        expect(page.locator(".push")).to_have_count(0)
