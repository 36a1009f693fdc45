"""The definition files of this machine: what is wrong with them, what a publish would do."""

from __future__ import annotations

import os

from flask import Flask, render_template

from calfeed.errors import DefinitionError
from calfeed.publish.show import list_changes, summarize
from calfeed.services.publishing import compare_folder
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
            compared = compare_folder(desk.database, folder, desk.settings.base_url, now)
        except DefinitionError as error:
            return render_template(
                page, folder=folder, problems=error.problems, warnings=error.warnings
            )
        defined, plan, refusal = compared
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
