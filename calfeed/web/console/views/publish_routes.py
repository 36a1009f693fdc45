"""The pages about publishes."""

from __future__ import annotations

from flask import Flask, render_template

from calfeed.store.catalog import publishes
from calfeed.web.console.context import ConsoleContext, form_value, read_number

_PAGE_SIZE = 50


def add_routes(console: Flask, context: ConsoleContext) -> None:
    @console.get("/publishes")
    def list_publishes() -> str:
        with context.database.read() as connection:
            found = publishes.list_publishes(
                connection, before=read_number(form_value("before")), limit=_PAGE_SIZE + 1
            )
        older = found[_PAGE_SIZE - 1].id if len(found) > _PAGE_SIZE else None
        return render_template("console/publishes.html", found=found[:_PAGE_SIZE], older=older)

    @console.get("/publishes/<int(max=9223372036854775807):number>")
    def show_publish(number: int) -> str:
        with context.database.read() as connection:
            found = publishes.find_publish(connection, number)
        return render_template("console/publish.html", publish=found)
