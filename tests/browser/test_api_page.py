"""A developer tries the API on its page, with the examples shown there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from tests.browser.axe import violations
from tests.browser.conftest import visiting
from tests.browser.house import Quiet
from tests.ports import free_port
from tests.web.api_site import ADMIN, make_api_site


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where a site with an API is served."""
    api = make_api_site(tmp_path)
    port = free_port()
    server = make_server("127.0.0.1", port, api.application, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    thread.join()
    server.server_close()
    api.site.database.close()


OPENED = [
    "calendars-show_event",
    "deliveries-list_deliveries",
    "endpoints-add_endpoint",
    "endpoints-change_endpoint",
]


def test_axe_finds_no_fault_in_the_page_of_the_api(chromium: Browser, address: str) -> None:
    with visiting(chromium, address) as visit:
        page = visit("/api/")
        page.set_viewport_size({"width": 390, "height": 800})
        page.locator(".opblock").first.wait_for()
        assert violations(page) == []
        for name in OPENED:
            operation = page.locator(f"#operations-{name}")
            operation.locator(".opblock-summary-control").click()
            operation.locator(".try-out__btn").click()
        operation.locator("textarea").wait_for()
        assert violations(page) == []
        assert page.locator(".errors-wrapper").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


TRIED = {
    "calendars-show_event": 200,
    "occurrences-list_occurrences": 200,
    "endpoints-add_endpoint": 201,
    "tokens-make_token": 201,
}


def test_an_operation_can_be_tried_as_it_stands(chromium: Browser, address: str) -> None:
    """The page sends the examples, and makes up nothing; see tests/web/test_api_examples.py."""
    with visiting(chromium, address) as visit:
        page = visit("/api/")
        page.get_by_role("button", name="Authorize").first.click()
        page.locator(".auth-container input").fill(ADMIN)
        page.locator(".auth-btn-wrapper .authorize").click()
        page.locator(".btn-done").click()
        for name, status in TRIED.items():
            operation = page.locator(f"#operations-{name}")
            operation.locator(".opblock-summary-control").click()
            operation.locator(".try-out__btn").click()
            with page.expect_response(lambda answer: "/v1/" in answer.url) as answered:
                operation.locator(".execute").click()
            assert answered.value.status == status, name
