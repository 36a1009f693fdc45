"""Every key, setting and command is in the docs."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import click
import pytest

from calfeed.cli import cli
from calfeed.definitions import keys
from calfeed.definitions.keys.entries import Entry
from calfeed.errors import CalfeedError
from calfeed.reminders.contract.registry import FILTER_TYPES
from calfeed.settings import Settings

ROOT = Path(__file__).parents[1]
DOCS = "\n".join(
    path.read_text("utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
)

COMMANDS_PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")
SETTING = r"^\| `CALFEED_(\w+)` \| (.*?) \|"
"""A row of the table of settings: the name, the default."""

CODE_DOCS = ["CONTRIBUTING.md", "GLOSSARY.md", "docs/architecture.md"]
CODE_DOCS += sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "decisions").glob("*.md")
)
"""The docs that name files, functions and classes of the code."""

FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("calfeed", "tests", "benchmarks", "docs", "events")
    for path in (ROOT / folder).rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
)
FILES += sorted(path.name for path in ROOT.iterdir() if path.is_file())

FOREIGN_NAMES = {
    "calfeed.toml": "the operator writes it",
    "occurrences.json": "an address of the web server",
    "CALFEED_NAME_FILE": "NAME stands for a setting",
}
"""Names in the docs that are not in the code, with the reason."""


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


def options_of(command: click.Command) -> list[str]:
    return [
        option
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for option in (*parameter.opts, *parameter.secondary_opts)
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_options_in_its_section(name: str) -> None:
    """The section of the command, or of the group that it is in; some have a page of their own."""
    assert name in DOCS
    words = name.split()[1:]
    text = COMMANDS_PAGE
    if own := re.search(rf"^\| \[`{(words or [''])[0]}`\]\((\w+\.md)#", text, re.MULTILINE):
        text = (ROOT / "docs" / own[1]).read_text("utf-8")
    else:
        _, *parts = re.split(r"^##+ ", text, flags=re.MULTILINE)
        sections = {part.partition("\n")[0]: part for part in parts}
        titles = [" ".join(words[:count]) for count in range(len(words), 0, -1)]
        text = next((sections[title] for title in titles if title in sections), text)
    options = options_of(COMMANDS[name])
    assert [each for each in options if not re.search(rf"{each}(?![\w-])", text)] == []


def test_every_option_on_the_page_of_commands_is_one() -> None:
    known = {option for command in COMMANDS.values() for option in options_of(command)}
    known |= {"--help", "--version"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", COMMANDS_PAGE)) <= known


def test_the_default_of_every_setting_is_the_one_in_the_code() -> None:
    """One that is described in words is made of other values."""
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    shown = {name.lower(): cell for name, cell in re.findall(SETTING, page, re.MULTILINE)}
    for name, field in Settings.model_fields.items():
        if field.default in (None, ""):
            assert shown[name] == "none" or " " in shown[name]
        else:
            assert shown[name] == f"`{str(field.default).lower()}`"
    assert shown.keys() == Settings.model_fields.keys()


@pytest.mark.parametrize("name", cli.list_commands(click.Context(cli)))
def test_the_page_of_commands_lists_each_and_has_a_section_for_it(name: str) -> None:
    ((page, section),) = re.findall(
        rf"^\| \[`{name}`\]\((.*)#(.*)\) \|", COMMANDS_PAGE, re.MULTILINE
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


@pytest.mark.parametrize("message", [*FILTER_TYPES, "endpoint.test"])
def test_every_message_is_in_the_docs(message: str) -> None:
    assert f"`{message}`" in DOCS


def test_every_error_says_what_it_is() -> None:
    for error in CalfeedError.__subclasses__():
        assert error.__doc__


def read_sources() -> dict[str, str]:
    """The text of the code, the tests and the benchmarks, by path; this file left out."""
    return {
        file: (ROOT / file).read_text("utf-8")
        for file in FILES
        if file.startswith(("calfeed/", "tests/", "benchmarks/")) or file == "pyproject.toml"
        if file.endswith((".py", ".html", ".css", ".toml", ".cfg", ".sh"))
        if not file.endswith(Path(__file__).name)
    }


SOURCES = read_sources()
WORDS = {word for text in SOURCES.values() for word in re.findall(r"\w+", text)}
WORDS |= {part for file in FILES for part in re.split(r"[/.]", file)}


def code_spans(doc: str) -> list[str]:
    text = (ROOT / doc).read_text("utf-8")
    return re.findall(
        r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    )


def is_path(span: str) -> bool:
    return re.fullmatch(r"[\w./-]*\w\.[a-z]{2,5}", span) is not None and span.endswith(
        (".py", ".html", ".json", ".toml", ".sh", ".sql", ".po", ".cfg", ".md", ".yaml", ".css")
    )


def exists(path: str) -> bool:
    """Whether a file has this path, counted from the top, from calfeed/, or as its end."""
    pattern = re.sub("NNNN|NAME|LANGUAGE", "*", path)
    return any(fnmatchcase(file, pattern) or fnmatchcase(file, f"*/{pattern}") for file in FILES)


@pytest.mark.parametrize("doc", CODE_DOCS)
def test_every_file_that_the_docs_name_exists(doc: str) -> None:
    named = {span for span in code_spans(doc) if is_path(span)} - FOREIGN_NAMES.keys()
    assert [path for path in sorted(named) if not exists(path)] == []


@pytest.mark.parametrize("doc", CODE_DOCS)
def test_every_name_of_code_in_the_docs_is_in_the_code(doc: str) -> None:
    """A name is a word with an underscore, or one in CamelCase."""
    spans = [span for span in code_spans(doc) if not is_path(span)]
    words = {word for span in spans for word in re.findall(r"[A-Za-z_]\w*", span)}
    names = {word for word in words if "_" in word or re.match(r"[A-Z]\w*[a-z]", word)}
    assert names - WORDS - FOREIGN_NAMES.keys() == set()


def test_every_foreign_name_is_in_the_docs() -> None:
    spans = " ".join(span for doc in CODE_DOCS for span in code_spans(doc))
    assert [name for name in FOREIGN_NAMES if name not in spans] == []


@pytest.mark.parametrize("doc", CODE_DOCS)
def test_python_in_the_docs_is_quoted_from_the_code(doc: str) -> None:
    text = (ROOT / doc).read_text("utf-8")
    code = [textwrap.dedent(source) for source in SOURCES.values()]
    for block in re.findall(r"^```python\n(.*?)\n```", text, re.DOTALL | re.MULTILINE):
        assert any(block in source for source in code), block


PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
)


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    texts = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-") for text in texts}


def test_every_page_is_in_the_navigation_once() -> None:
    """The lists of the README are the navigation of the site, which is made by `make docs`."""
    _, lists = (ROOT / "README.md").read_text("utf-8").split("\n## Documentation\n")
    decisions = [page for page in PAGES if re.match(r"docs/decisions/\d", page)]
    assert sorted(re.findall(r"^- \[[^\]]*\]\((.*\.md)\)", lists, re.MULTILINE)) == [
        page for page in PAGES if page not in decisions and page != "README.md"
    ]
    records = (ROOT / "docs" / "decisions" / "README.md").read_text("utf-8")
    linked = re.findall(r"^\| \[\d+\]\((.*)\)", records, re.MULTILINE)
    assert [f"docs/decisions/{page}" for page in linked] == decisions


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    page = ROOT / name
    broken = []
    for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", page.read_text("utf-8")):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        known = target.suffix != ".md" or not anchor or anchor in anchors_of(target)
        if not target.exists() or not known:
            broken.append(link)
    assert broken == []
