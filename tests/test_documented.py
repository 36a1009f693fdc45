"""Nothing that can be written, set or called is left out of the docs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from calfeed.cli import cli
from calfeed.definitions import keys
from calfeed.definitions.keys import Entry
from calfeed.errors import CalfeedError
from calfeed.reminders.filters import MESSAGE_TYPES
from calfeed.settings import Settings

ROOT = Path(__file__).parents[1]
DOCS = "\n".join(
    path.read_text("utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
)


def entries(entry: type[Entry] = Entry) -> Iterator[type[Entry]]:
    for each in entry.__subclasses__():
        yield each
        yield from entries(each)


def commands(
    command: click.Command = cli, path: tuple[str, ...] = ("calfeed",)
) -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name, and the groups they are in."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))
    yield " ".join(path), command


COMMANDS = dict(commands())


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_docs(name: str) -> None:
    assert f"`CALFEED_{name.upper()}`" in DOCS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_docs_with_its_options(name: str) -> None:
    assert name in DOCS
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            for option in (*parameter.opts, *parameter.secondary_opts):
                assert re.search(re.escape(option) + r"(?![\w-])", DOCS), f"{name} {option}"


@pytest.mark.parametrize("name", cli.list_commands(click.Context(cli)))
def test_the_page_of_commands_lists_each_and_has_a_section_for_it(name: str) -> None:
    commands_page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    ((page, section),) = re.findall(
        rf"^\| \[`{name}`\]\((.*)#(.*)\) \|", commands_page, re.MULTILINE
    )
    text = (ROOT / "docs" / (page or "commands.md")).read_text("utf-8")
    headings = re.findall(r"^##+ (.*)$", text, re.MULTILINE)
    assert section in [heading.lower().replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_says_what_it_does(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help, f"{name} {parameter.name}"


@pytest.mark.parametrize("entry", sorted(set(entries()), key=str))
def test_every_key_of_a_definition_is_in_the_docs(entry: type[Entry]) -> None:
    assert entry.__module__.startswith(keys.__name__.rsplit(".", 1)[0])
    for name, field in entry.model_fields.items():
        assert f"`{field.alias or name}`" in DOCS, f"{entry.__name__}.{name}"
        assert field.description


@pytest.mark.parametrize("message", [*MESSAGE_TYPES, "endpoint.test"])
def test_every_message_is_in_the_docs(message: str) -> None:
    assert f"`{message}`" in DOCS


def test_every_error_says_what_it_is() -> None:
    for error in CalfeedError.__subclasses__():
        assert error.__doc__
