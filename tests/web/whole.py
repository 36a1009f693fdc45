"""All applications of a web process in this one, in front of a published site."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask
from pydantic import SecretStr
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from calfeed.settings import Settings
from calfeed.web.api.app import MOUNT, make_api
from calfeed.web.app import make_flask
from calfeed.web.console.routes import PREFIX, make_console
from calfeed.web.pages.page_cache import PageCache
from calfeed.web.published.responses import Application, StoredResponseMiddleware
from calfeed.web.published.state import State
from tests.web.published import BASE, Published

TOKEN = "a-token-that-nobody-guesses"


@dataclass(frozen=True)
class Whole:
    """The applications by the prefix that they are mounted at, and a client of all of them."""

    apps: dict[str, Flask]
    client: Client


def make_whole(site: Published, base_url: str = BASE) -> Whole:
    """All applications as they are mounted in a web process, without the limits of their rates."""
    settings = Settings(public_url=base_url, admin_token=SecretStr(TOKEN))
    state = State(site.database, base_url, lambda: site.now)
    public = make_flask(state, base_url, mails=True)
    console = make_console(site.database, settings, lambda: site.now)
    api = make_api(
        state,
        site.database,
        base_url,
        admin_token=settings.admin_token,
        self_service=True,
        rate="100000/minute",
        registration_rate="100000/minute",
    )
    mounts: dict[str, Application] = {PREFIX: console.wsgi_app, MOUNT: api.wsgi_app}
    parts = DispatcherMiddleware(PageCache(public.wsgi_app, state), mounts)
    site.state = state  # which a publish refreshes
    middleware = state.middleware = StoredResponseMiddleware(
        parts, state.snapshot, state.poll_counter
    )
    state.refresh()
    return Whole({"": public, PREFIX: console, MOUNT: api}, Client(middleware))
