"""`doctor`: look at everything that can be wrong, and say what to do."""

from __future__ import annotations

import sys
from collections import Counter

import click

from calfeed.cli import output
from calfeed.counting import count

_COLORS = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command()
@output.as_json
def doctor(as_json: bool) -> None:
    """Look at everything that can be wrong here, and say what to do.

    Changes nothing and sends nothing. The exit code is 1 if there is a problem.
    """
    from calfeed.services.doctor.examination import examine

    findings = examine(output.now())
    counts = Counter(finding.level.value for finding in findings)
    if as_json:
        output.print_json([finding.as_json() for finding in findings])
    else:
        width = max(len(finding.subject) for finding in findings)
        for finding in findings:
            level = click.style(f"{finding.level:7}", fg=_COLORS[finding.level])
            click.echo(f"{level}  {finding.subject:{width}}  {finding}")
        click.echo(f"{count(counts['problem'], 'problem')}, {count(counts['warning'], 'warning')}")
    if counts["problem"]:
        sys.exit(1)
