"""The definition files of this machine: what is wrong with them, what a publish would do."""

from __future__ import annotations

import os

from flask import Flask, render_template

from calfeed.definitions.files import load_definitions
from calfeed.errors import DefinitionError, PublishRefusedError
from calfeed.publish.apply import check_plan, plan_publish
from calfeed.publish.show import list_changes, summarize
from calfeed.store.catalog.installation import load_scheme
from calfeed.web.console.context import Desk


def add_routes(console: Flask, desk: Desk) -> None:
    """Add the page about the definition files."""

    @console.get("/definitions")
    def show_definitions() -> str:
        folder, now = desk.settings.events, desk.clock()
        page = "console/definitions.html"
        if not os.access(folder, os.F_OK):
            return render_template(page, folder=folder, missing=True)
        try:
            with desk.database.read() as connection:
                uids = load_scheme(connection)
            defined = load_definitions(folder, uids=uids, today=now.date())
        except DefinitionError as error:
            return render_template(
                page, folder=folder, problems=error.problems, warnings=error.warnings
            )
        refusal = ""
        with desk.database.read() as connection:
            plan = plan_publish(connection, defined, now, desk.settings.base_url)
            try:
                check_plan(connection, plan, now)
            except PublishRefusedError as error:
                refusal = str(error)
        return render_template(
            page,
            folder=folder,
            calendars=len(defined.calendars),
            events=sum(len(calendar.events) for calendar in defined.calendars),
            warnings=plan.warnings,
            changed=list_changes(plan),
            same=plan.empty,
            summary=summarize(plan),
            refusal=refusal,
        )
