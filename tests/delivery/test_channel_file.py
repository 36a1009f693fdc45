"""The channels file: its keys, and the errors about it."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from calfeed.delivery.channels.file import Channel, read_channels
from calfeed.errors import SettingsError
from calfeed.reminders.filters import Filters
from calfeed.reminders.option_values import Digest, QuietHours
from calfeed.reminders.options import Options
from tests.publish.desk import NOW

# Apprise imports it with its mail plugin.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

TOKEN = "hunter2"

GOOD = f"""
[newsroom]
url = "json://desk:{TOKEN}@example.org/"
description = "the people at the desk"
calendars = ["grants", "un-observances"]
types = ["reminder.due", "event.moved"]
rate = 30
time_zone = "Asia/Karachi"
quiet = "22:00-07:00"
digest = "monday@09:00"

[mail]
url = "mailto://desk:{TOKEN}@example.org"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "channels.toml"


def read(file: Path, text: str) -> dict[str, Channel]:
    file.write_text(text, "utf-8")
    return read_channels(file)


def problems(file: Path, text: str) -> list[str]:
    """What is wrong, without the file's name, which each line begins with."""
    with pytest.raises(SettingsError) as caught:
        read(file, text)
    assert TOKEN not in str(caught.value)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{file}: ") for line in lines)
    return [line.removeprefix(f"{file}: ") for line in lines]


def test_a_byte_order_mark_at_the_start_of_the_file_is_ignored(file: Path) -> None:
    assert list(read(file, f"\ufeff{GOOD}")) == ["newsroom", "mail"]


def test_a_channel_has_what_the_file_says(file: Path) -> None:
    channels = read(file, GOOD)
    assert list(channels) == ["newsroom", "mail"]
    newsroom = channels["newsroom"]
    assert newsroom.service.kind == "JSON"
    assert newsroom.filters == Filters(
        calendars=("grants", "un-observances"), types=("reminder.due", "event.moved")
    )
    assert newsroom.options == Options(
        rate=30,
        time_zone="Asia/Karachi",
        quiet=QuietHours(begin=time(22), end=time(7)),
        digest=Digest(at=time(9), weekday=0),
    )
    assert channels["mail"].filters == Filters()
    assert channels["mail"].options == Options()


def test_neither_a_channel_nor_its_endpoint_has_its_address(file: Path) -> None:
    for channel in read(file, GOOD).values():
        endpoint = channel.to_endpoint(NOW)
        assert endpoint.id == f"ch_{channel.name}"
        shown = repr(channel) + repr(endpoint) + endpoint.url + endpoint.secret
        assert TOKEN not in shown
        assert "example.org" not in shown


def test_a_file_without_channels_has_none(file: Path) -> None:
    assert read(file, "") == {}


def test_every_problem_is_told_at_once_with_its_key(file: Path) -> None:
    text = f"""
        url = "slack://{TOKEN}"
        [newsroom]
        url = "slak://{TOKEN}/b/c"
        quiet = "22:00"
        digest = "someday@09:00"
        calender = ["grants"]
        [2nd]
        url = 5
        calendars = "grants"
        [mail]
        types = ["reminder.do"]
        rate = 0
        time_zone = "Karachi"
        quiet = 7
    """
    found = dict(line.split(": ", 1) for line in problems(file, text))
    assert list(found) == [
        *("2nd", "2nd.calendars", "2nd.url"),
        *("mail.quiet", "mail.rate", "mail.time_zone", "mail.types", "mail.url"),
        *("newsroom.calender", "newsroom.digest", "newsroom.quiet", "newsroom.url"),
        "url",
    ]
    assert "did you mean calendars?" in found["newsroom.calender"]
    assert "did you mean slack://?" in found["newsroom.url"]
    assert "22:00-07:00" in found["newsroom.quiet"]
    assert "is missing" in found["mail.url"]
    assert "reminder.due" in found["mail.types"]
    assert found["mail.quiet"].startswith("must be a text")


@pytest.mark.parametrize("name", ["Newsroom", "1st", '"news room"', "a" * 37, "_"])
def test_a_channels_name_is_a_word_that_can_stand_in_an_id(name: str, file: Path) -> None:
    (line,) = problems(file, f'[{name}]\nurl = "json://{TOKEN}@example.org"')
    assert "is not a valid channel name" in line


@pytest.mark.parametrize("text", ["[newsroom", 'url = "hunter2', "a = 1\na = 2"])
def test_a_file_that_is_no_toml_is_told_of_without_being_quoted(text: str, file: Path) -> None:
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        read_channels(file)
    assert TOKEN not in str(caught.value)


def test_a_file_that_is_not_there_is_told_of(file: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_channels(file)


def test_what_is_not_encrypted_is_refused_where_it_has_to_be(file: Path) -> None:
    file.write_text(GOOD, "utf-8")
    with pytest.raises(SettingsError) as caught:
        read_channels(file, https_only=True)
    said = str(caught.value)
    for schema in ("jsons://", "mailtos://"):
        assert f"CALFEED_HTTPS_ENDPOINTS_ONLY is set; write {schema}" in said
    assert TOKEN not in said
    file.write_text(GOOD.replace("json:", "jsons:").replace("mailto:", "mailtos:"), "utf-8")
    assert list(read_channels(file, https_only=True)) == ["newsroom", "mail"]
