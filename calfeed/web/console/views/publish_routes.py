"""Publishes: when each was, and what it changed."""

from __future__ import annotations

from flask import Flask, render_template

from calfeed.store.catalog import publishes
from calfeed.web.console.context import Desk, asked, read_number

_PAGE = 50


def add_routes(console: Flask, desk: Desk) -> None:
    """Add the pages about publishes."""

    @console.get("/publishes")
    def list_publishes() -> str:
        with desk.database.read() as connection:
            found = publishes.list_publishes(
                connection, before=read_number(asked("before")), limit=_PAGE + 1
            )
        older = found[_PAGE - 1].id if len(found) > _PAGE else None
        return render_template("console/publishes.html", found=found[:_PAGE], older=older)

    @console.get("/publishes/<int(max=9223372036854775807):number>")
    def show_publish(number: int) -> str:
        with desk.database.read() as connection:
            found = publishes.find_publish(connection, number)
        return render_template("console/publish.html", one=found)
