"""The commands, and the composition root of settings, store, delivery and web."""

from __future__ import annotations

import sys
from importlib import import_module
from keyword import iskeyword

import click

from calfeed import __version__
from calfeed.cli.advice import advise
from calfeed.errors import CalfeedError
from calfeed.garbage import tune_collection

# Module and short help of each command. Only the command that runs is imported, to start fast.
_COMMANDS = {
    "backup": ("operating.backups", "write a copy of the database to a file"),
    "channels": ("sending.channels", "validate and show the channels file"),
    "check": ("definitions.publishing", "validate the definitions"),
    "delivery": ("sending.deliveries", "list, show and retry deliveries"),
    "diff": ("definitions.publishing", "show what a publish would do"),
    "doctor": ("operating.doctor", "look at everything that can be wrong, and say what to do"),
    "endpoint": ("sending.endpoints", "add, change, test, pause and remove endpoints"),
    "event": ("sending.histories", "show the history of an event, and who was notified"),
    "export": ("definitions.exporting", "write a static site, or print a feed"),
    "import": ("definitions.importing", "convert an .ics file or URL to a definition"),
    "init": ("definitions.starting", "make a folder of calendars to start with"),
    "installation": ("operating.installation", "show or set the id of this installation"),
    "keys": ("operating.keys", "list and rotate the encryption keys"),
    "mail": ("operating.mail", "send a test mail, and process bounces"),
    "listen": ("sending.listening", "receive webhooks on this machine and print them"),
    "publish": ("definitions.publishing", "publish the definitions"),
    "rehearse": ("sending.rehearsing", "send the reminders of a period now, as a rehearsal"),
    "reminders": ("sending.reminding", "show past and future reminders with their receivers"),
    "replan": ("operating.replanning", "repair the effects of a wrong clock"),
    "restore": ("operating.backups", "restore the database from a backup"),
    "schema": ("definitions.publishing", "print the JSON Schema of definitions or messages"),
    "serve": ("serving.commands", "run everything on one machine"),
    "status": ("operating.status", "show which processes run, and what waits to be sent"),
    "translations": ("definitions.translations", "translate pages and mails"),
    "token": ("operating.tokens", "make and revoke tokens for feeds and the API"),
    "web": ("serving.commands", "run a web server"),
    "worker": ("serving.commands", "run a delivery worker"),
}


class _LazyGroup(click.Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        name = cmd_name + "_" * iskeyword(cmd_name)  # the function of `import` is `import_`
        module = import_module(f"{__name__}.{_COMMANDS[cmd_name][0]}")
        command = getattr(module, name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(_COMMANDS.items())])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="calfeed")
def cli() -> None:
    """Publishes key dates from YAML files as calendars, and sends reminders to people and programs.

    Settings are read from CALFEED_* and calfeed.toml.
    """


def main() -> None:
    """Run the command line. Errors are printed in a few lines, with exit code 1."""
    tune_collection()
    try:
        cli()
    except CalfeedError as error:
        click.secho("calfeed: ", fg="red", err=True, nl=False)
        click.echo(advise(error), err=True)
        sys.exit(1)
