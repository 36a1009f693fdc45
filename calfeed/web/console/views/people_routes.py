"""The page about people who follow by mail: their number, one address's status and removal."""

from __future__ import annotations

from contextlib import suppress

from flask import Flask, render_template, request

from calfeed.errors import InvalidInputError, NotFoundError
from calfeed.services.following.lookup import find_address, remove_address
from calfeed.store.people.changes import count_people
from calfeed.web.console.context import ConsoleContext


def add_routes(console: Flask, context: ConsoleContext) -> None:
    @console.route("/people", methods=["GET", "POST"])
    def show_people() -> str:
        found, errors = None, {}
        # The address is in the body, because a query would be in the browser's history and a
        # proxy's log.
        address = request.form.get("address", "").strip()
        removed = False
        if address:
            try:
                if request.form.get("act") == "remove":
                    with suppress(NotFoundError):  # it was removed meanwhile
                        remove_address(context.database, address, context.clock())
                    removed = True
                found = find_address(context.database, address)
            except InvalidInputError as error:
                errors["address"] = str(error)
        with context.database.read() as connection:
            counts = count_people(connection)
        return render_template(
            "console/people.html",
            counts=counts,
            address=address,
            found=found,
            removed=removed,
            errors=errors,
        )
