"""`calfeed translations`: a translator makes a file, checks it, and keeps it up to date."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from calfeed.cli import cli
from calfeed.errors import CalfeedError


class Translator:
    """A folder of definitions; `run` runs a command of `translations` on it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "translations" / "sw.po"
        self._environment = {"CALFEED_EVENTS": str(folder)}

    def run(self, *words: str) -> Result:
        result = CliRunner(env=self._environment).invoke(cli, ["translations", *words])
        if result.exception and not isinstance(result.exception, CalfeedError | SystemExit):
            raise result.exception
        return result

    def replace(self, old: str, new: str) -> None:
        text = self.file.read_text("utf-8")
        assert old in text
        self.file.write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture
def translator(tmp_path: Path) -> Translator:
    return Translator(tmp_path / "events")


def test_a_new_file_is_made_once(translator: Translator) -> None:
    result = translator.run("new", "sw")
    assert result.exit_code == 0
    assert str(translator.file) in result.output
    assert 'msgid "Subscribe"' in translator.file.read_text("utf-8")
    translator.replace('msgid "Subscribe"\nmsgstr ""', 'msgid "Subscribe"\nmsgstr "Jiandikishe"')
    error = translator.run("new", "sw").exception
    assert "calfeed translations update sw" in str(error)
    assert "Jiandikishe" in translator.file.read_text("utf-8")


@pytest.mark.parametrize("tag", ["xx", "../sw", "s w", ""])
def test_a_file_is_only_made_for_a_language(translator: Translator, tag: str) -> None:
    assert "is not a language" in str(translator.run("new", tag).exception)
    assert not translator.file.parent.exists()


def test_a_check_names_each_problem_with_file_and_line_and_fails(translator: Translator) -> None:
    translator.run("new", "sw")
    translator.replace('msgid "Subscribe"\nmsgstr ""', 'msgid "Subscribe"\nmsgstr "<b>Haya</b>"')
    result = translator.run("check")
    assert result.exit_code == 1
    lines = translator.file.read_text("utf-8").splitlines()
    number = lines.index('msgid "Subscribe"') + 1
    assert f"{translator.file}:{number}:1: Subscribe: contains HTML" in result.output
    assert "Month: is not translated" in result.output
    problems = json.loads(translator.run("check", "sw", "--json").stdout)["problems"]
    assert {problem["file"] for problem in problems} == {str(translator.file)}
    assert number in {problem["line"] for problem in problems}


def test_a_file_without_a_problem_passes(translator: Translator) -> None:
    translator.run("new", "fr")
    result = translator.run("check", "fr")
    assert (result.exit_code, result.output) == (0, "valid: 1 file\n")


def test_an_update_keeps_what_is_translated(translator: Translator) -> None:
    translator.run("new", "sw")
    translator.replace('msgid "Subscribe"\nmsgstr ""', 'msgid "Subscribe"\nmsgstr "Jiandikishe"')
    translator.replace('msgid "Month"', 'msgid "Fortnight"')
    assert translator.run("update").exit_code == 0
    text = translator.file.read_text("utf-8")
    assert 'msgid "Subscribe"\nmsgstr "Jiandikishe"' in text
    assert 'msgid "Month"' in text


def test_what_is_not_there_is_told_with_what_to_do(translator: Translator) -> None:
    assert "calfeed translations new TAG" in str(translator.run("check").exception)
    translator.run("new", "sw")
    assert "there are sw" in str(translator.run("update", "de").exception)


def test_a_file_that_cannot_be_read_is_told_by_an_update_and_stays(translator: Translator) -> None:
    translator.file.parent.mkdir(parents=True)
    translator.file.write_text("Subscribe = Haya\n", "utf-8")
    assert "line 1 is not a line of a .po file" in str(translator.run("update").exception)
    assert translator.file.read_text("utf-8") == "Subscribe = Haya\n"
    strange = translator.file.with_name("xx.po")
    translator.file.rename(strange)
    assert "line 1" in str(translator.run("update").exception)
    assert "xx.po: the name of the file" in translator.run("check").output
