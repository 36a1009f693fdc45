"""The page about the definition files: their problems, and what a publish would change."""

from __future__ import annotations

import os

from flask import Flask, render_template

from calfeed.errors import DefinitionError
from calfeed.publish.show import list_changes, summarize
from calfeed.services.publishing import compare_folder
from calfeed.web.console.context import ConsoleContext


def add_routes(console: Flask, context: ConsoleContext) -> None:
    @console.get("/definitions")
    def show_definitions() -> str:
        folder, now = context.settings.events, context.clock()
        page = "console/definitions.html"
        if not os.access(folder, os.F_OK):
            return render_template(page, folder=folder, missing=True)
        try:
            comparison = compare_folder(context.database, folder, context.settings.base_url, now)
        except DefinitionError as error:
            return render_template(
                page, folder=folder, problems=error.problems, warnings=error.warnings
            )
        defined, plan, refusal = comparison
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
