"""The optional details of an event are read, checked and part of its revision."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.definitions.reader import read_definitions
from calfeed.errors import DefinitionError
from calfeed.model.details import (
    Classification,
    Conference,
    Format,
    Organizer,
    Position,
    check_email,
    check_position,
)
from calfeed.model.events import Event, canonical_json, fingerprint

HEAD = (
    "name: Grants\ntime_zone: Asia/Karachi\nevents:\n  a:\n    summary: S\n    start: 2030-02-11\n"
)

# One line for each key: the first stands on line 7 of the file, at column 5.
KEYS = {
    "format": "format: markdown",
    "image": "image: https://foundation.example/audit.png",
    "conference": "conference: {url: https://meet.example/a, label: Join}",
    "geo": "geo: 24.8607, -67.0011",
    "organizer": "organizer: {name: The auditors, email: audit@foundation.example}",
    "contact": "contact: Reception, room 4",
    "classification": "class: confidential",
    "priority": "priority: 1",
}

WRONG = {
    "format: html": "7:5: events.a.format: \"html\" is not valid here; write 'plain' or 'markdown'",
    "image: audit.png": '7:5: events.a.image: "audit.png" is not a URL',
    "image: https://u:secret@example.org/a.png": "7:5: events.a.image: a public URL must",
    "conference: zoom": '7:5: events.a.conference: "zoom" is not a URL; write one that begins',
    "conference: [x]": "7:5: events.a.conference: must be a map with the keys url and label, but",
    "conference: {label: Join}": '7:5: events.a.conference: the key "url" is missing (the URL',
    "conference: {url: x}": '7:18: events.a.conference.url: "x" is not a URL',
    "conference: {url: https://x.example, lable: J}": "7:42: events.a.conference.lable: there is "
    'no key "lable" here; did you mean "label"?',
    "geo: Karachi": '7:5: events.a.geo: "Karachi" is not a position; write latitude and longitude '
    "in degrees, as 24.8607, 67.0011",
    "geo: 24°51'N 67°00'E": "7:5: events.a.geo: \"24°51'N 67°00'E\" is not a position; write",
    "geo: 24.8607": '7:5: events.a.geo: "24.8607" is not a position; write',
    "geo: 124.5, 67.0": "7:5: events.a.geo: latitude comes first and goes from -90 to 90; write "
    "67.0, 124.5",
    "geo: 190, 67": "7:5: events.a.geo: the latitude must be from -90 to 90, not 190",
    "geo: 67, -190": "7:5: events.a.geo: the longitude must be from -180 to 180, not -190",
    "geo: [24.8, 67.0]": "7:5: events.a.geo: must be a text, not a list",
    "organizer: The desk": "7:5: events.a.organizer: must be a map with the keys name and email, "
    "but is a text",
    "organizer: {name: Desk}": '7:5: events.a.organizer: the key "email" is missing (the public',
    "organizer: {name: D, email: D <d@x.example>}": '7:26: events.a.organizer.email: "D '
    '<d@x.example>" is not an e-mail address; write one such as desk@example.org',
    "organizer: {name: D, email: d@x.example, emial: x}": "7:46: events.a.organizer.emial: there "
    'is no key "emial" here; did you mean "email"?',
    "contact: |\n      two\n      lines": "7:5: events.a.contact: must be one line",
    "class: secret": "7:5: events.a.class: \"secret\" is not valid here; write 'public', 'private'",
    "priority: 0": '7:5: events.a.priority: "0" is not a priority; write a number from 1 (highest)',
    "priority: high": '7:5: events.a.priority: "high" is not a priority; write a number',
}


def read(*lines: str) -> Event:
    text = HEAD + "".join(f"    {line}\n" for line in lines)
    ((event,),) = (
        each.events for each in read_definitions({"events/grants.yaml": text.encode()}).calendars
    )
    return event


def test_every_key_is_settled_as_a_value() -> None:
    event = read(*KEYS.values())
    assert {key: getattr(event, key) for key in KEYS} == {
        "format": Format.MARKDOWN,
        "image": "https://foundation.example/audit.png",
        "conference": Conference(url="https://meet.example/a", label="Join"),
        "geo": Position(latitude=24.8607, longitude=-67.0011),
        "organizer": Organizer(name="The auditors", email="audit@foundation.example"),
        "contact": "Reception, room 4",
        "classification": Classification.CONFIDENTIAL,
        "priority": 1,
    }


def test_a_conference_may_be_an_address_alone() -> None:
    assert read("conference: https://meet.example/a").conference == Conference(
        url="https://meet.example/a"
    )


def test_what_is_stored_of_a_full_event_reads_back_the_same() -> None:
    event = read(*KEYS.values())
    assert Event.model_validate_json(canonical_json(event)) == event


@pytest.mark.parametrize(("line", "problem"), WRONG.items(), ids=list(WRONG))
def test_what_is_wrong_is_told_with_its_place_and_what_would_be_right(
    line: str, problem: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        read(line)
    (told,) = caught.value.problems
    assert str(told).startswith(f"events/grants.yaml:{problem}")


@pytest.mark.parametrize("key", KEYS)
def test_each_key_alone_makes_another_revision(key: str) -> None:
    assert fingerprint(read(KEYS[key])) != fingerprint(read())


@pytest.mark.parametrize("line", ["format: plain", "class: public"])
def test_what_is_said_already_makes_no_revision(line: str) -> None:
    assert fingerprint(read(line)) == fingerprint(read())


def test_an_event_without_these_keys_has_the_fingerprint_it_always_had() -> None:
    """The value was taken before there were such keys: nobody's calendar moves by an upgrade."""
    text = """\
name: Grants
time_zone: Asia/Karachi
reminders: [1 week]
events:
  report-due:
    summary: {en: Report to the foundation is due, ur: رپورٹ}
    description: The narrative report.
    start: 2030-06-28 17:00
    kind: deadline
    categories: [report]
    sources: [{title: Letter, url: "https://foundation.example/letters/12", date: 2030-05-02}]
    note: Two weeks more
"""
    (calendar,) = read_definitions({"events/grants.yaml": text.encode()}).calendars
    expected = "bacc27302cd5a21920202626b9d5ed16d5524f47535547c8b225d8ddf7c91996"
    assert fingerprint(calendar.events[0]) == expected


@given(
    st.floats(-90, 90, allow_nan=False),
    st.floats(-180, 180, allow_nan=False),
)
def test_every_position_on_earth_is_read_to_six_decimals(latitude: float, longitude: float) -> None:
    read = check_position(f" {latitude:.9f},{longitude:.9f} ")
    assert abs(read.latitude - latitude) < 1e-6
    assert abs(read.longitude - longitude) < 1e-6
    assert "-0.0" not in (str(read.latitude), str(read.longitude))


@pytest.mark.parametrize(
    "address",
    ["a@b.example", "first.o'last+tag@mail.foundation.example", "x@xn--bcher-kva.example"],
)
def test_addresses_that_mail_reaches_are_taken(address: str) -> None:
    assert check_email(f" mailto:{address} ") == address


@pytest.mark.parametrize(
    "address",
    ["", "desk", "desk@", "@x.example", "a@b", "a@b..example", "a b@c.example", "a@b.example\nX:y"],
)
def test_addresses_that_mail_does_not_reach_are_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is not an e-mail address"):
        check_email(address)


def test_an_address_becomes_a_uri_that_means_the_same() -> None:
    assert Organizer(name="D", email="a%b/c?d#e+f@x.example").uri == (
        "mailto:a%25b%2Fc%3Fd%23e+f@x.example"
    )


def test_the_libraries_for_markdown_are_loaded_only_to_render_it() -> None:
    code = (
        "import sys; from calfeed.definitions.reader import read_definitions as read;"
        "import calfeed.ical.vevent, calfeed.reminders.messages;"
        "read({'events/x.yaml': b'name: X\\ntime_zone: UTC\\nevents: {a: {summary: S, start: "
        "2024-01-01, format: markdown, description: x}}'});"
        "print(*{'markdown_it', 'nh3'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
