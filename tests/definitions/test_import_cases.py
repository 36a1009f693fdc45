"""Files as Outlook, Exchange, Google and phones write them take place when they mean to."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from hypothesis import given, settings
from hypothesis import strategies as st

from calfeed.errors import DefinitionError, InvalidInputError
from calfeed.ical.occurrences import expand
from calfeed.importing.ics import import_calendar
from calfeed.importing.losses import Loss, group_losses
from calfeed.model.events import Calendar
from tests.definitions.imports import EVENT, ics, only, read, take, told

pytestmark = pytest.mark.slow

RULES = (
    "BEGIN:VTIMEZONE\nTZID:{name}\n"
    "BEGIN:STANDARD\nDTSTART:16010101T{back}\nTZOFFSETFROM:{summer}\nTZOFFSETTO:{winter}\n"
    "RRULE:FREQ=YEARLY;BYDAY={last};BYMONTH={autumn}\nEND:STANDARD\n"
    "BEGIN:DAYLIGHT\nDTSTART:16010101T{forward}\nTZOFFSETFROM:{winter}\nTZOFFSETTO:{summer}\n"
    "RRULE:FREQ=YEARLY;BYDAY={first};BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n"
)
AMERICAN = {
    "back": "020000",
    "forward": "020000",
    "first": "2SU",
    "last": "1SU",
    "autumn": "11",
}
EUROPEAN = {
    "back": "030000",
    "forward": "020000",
    "first": "-1SU",
    "last": "-1SU",
    "autumn": "10",
}
EASTERN = RULES.format(name="{name}", winter="-0500", summer="-0400", **AMERICAN)
CUSTOM = RULES.format(name="Customized Time Zone", winter="+0300", summer="+0400", **EUROPEAN)


def at(tzid: str, wall: str, rest: str = "") -> str:
    return f'UID:1\nSUMMARY:T\nDTSTART;TZID="{tzid}":{wall}\n{rest}'


def instants(*events: str, head: str = "", first: int = 2026, last: int = 2028) -> list[str]:
    """The starts in UTC of all that the calendar has from one year to another."""
    calendar = read(take(*events, head=head).definition)
    window = (datetime(first, 1, 1, tzinfo=UTC), datetime(last, 1, 1, tzinfo=UTC))
    return sorted(
        f"{event.instant(one.start):%Y%m%dT%H%M}"
        for event in calendar.events
        for one in expand(event, *window)
    )


# Zones.


@pytest.mark.parametrize(
    "name",
    ["(UTC-05:00) Eastern Time (US & Canada)", "Eastern Standard Time", "Our office", "EST5EDT"],
)
def test_a_series_is_in_the_zone_that_agrees_as_far_as_it_recurs(name: str) -> None:
    """Havana has New York's rules today, but not for ever; of equals the largest is meant."""
    made = take(at(name, "20240603T140000", "RRULE:FREQ=WEEKLY\n"), head=EASTERN.format(name=name))
    calendar = read(made.definition)
    starts = [
        calendar.events[0].instant(one.start)
        for one in expand(
            calendar.events[0], *(datetime(2026, 12, day, tzinfo=UTC) for day in (1, 10))
        )
    ]
    assert starts == [datetime(2026, 12, 7, 19, tzinfo=UTC)]
    assert calendar.time_zone == ("EST5EDT" if name == "EST5EDT" else "America/New_York")
    assert ("TZID" in dict(told(made))) is (name == "Our office")


def test_rules_that_no_zone_has_are_kept_as_moments() -> None:
    """What its own VTIMEZONE says holds, whatever that is."""
    zone = "Customized Time Zone"
    assert instants(at(zone, "20270602T100000"), head=CUSTOM) == ["20270602T0600"]
    both = [
        at(zone, "20270602T100000"),
        at(zone, "20270112T100000").replace("UID:1", "UID:2"),
        at(zone, "20270706T100000", "RRULE:FREQ=DAILY;COUNT=2\n").replace("UID:1", "UID:3"),
    ]
    assert instants(*both, head=CUSTOM) == [
        *("20270112T0700", "20270602T0600", "20270706T0600", "20270707T0600"),
    ]


def test_a_series_across_the_changes_of_a_zone_that_is_none_is_a_question() -> None:
    series = at("Customized Time Zone", "20270602T100000", "RRULE:FREQ=WEEKLY\n")
    with pytest.raises(InvalidInputError, match="recurs across its clock changes"):
        take(series, head=CUSTOM)
    made = take(series, head=CUSTOM, time_zone="Asia/Dubai")
    assert read(made.definition).time_zone == "Asia/Dubai"
    assert [prop for prop, _ in told(made)] == ["TZID"]


def test_a_zone_that_a_file_defines_otherwise_than_it_is_is_said_to_be() -> None:
    made = take(at("Europe/Berlin", "20270602T100000"), head=EASTERN.format(name="Europe/Berlin"))
    (loss,) = made.losses
    assert read(made.definition).events[0].start.isoformat() == "2027-06-02T10:00:00+02:00"
    assert "has a definition that differs from the real zone, as at 2027-06-02 10:00" in str(loss)
    right = RULES.format(name="Europe/Berlin", winter="+0100", summer="+0200", **EUROPEAN)
    assert take(at("Europe/Berlin", "20270602T100000"), head=right).losses == ()


@pytest.mark.parametrize(
    ("tzid", "instant"),
    [
        ("UTC +03:00", "20270724T1130"),
        ("UTC+03:00", "20270724T1130"),
        ("GMT-0400", "20270724T1830"),
        ("UTC+05:30", "20270724T0900"),
        ("(UTC) Coordinated Universal Time", "20270724T1430"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "20270724T1230"),
        ("(GMT-05:00) Eastern Time (US & Canada)", "20270724T1830"),
        ("(UTC-07:00) Arizona", "20270724T2130"),
        ("(UTC+05:00) Islamabad, Karachi", "20270724T0930"),
        ("(UTC+00:00) Dublin, Edinburgh, Lisbon, London", "20270724T1330"),
        ("(UTC+08:00) Beijing, Chongqing, Hong Kong, Urumqi", "20270724T0630"),
        ("Pacific Standard Time 1", "20270724T2130"),
        ("/mozilla.org/20050126_1/Europe/Berlin", "20270724T1230"),
        ("/freeassociation.sourceforge.net/Tzfile/Asia/Karachi", "20270724T0930"),
        ("europe/berlin", "20270724T1230"),
    ],
)
def test_a_name_without_a_definition_says_its_zone_or_offset(tzid: str, instant: str) -> None:
    assert instants(at(tzid, "20270724T143000")) == [instant]


def test_an_offset_in_a_tzid_needs_no_quotes() -> None:
    event = "UID:1\nSUMMARY:T\nDTSTART;TZID=(UTC-05:00) Eastern Time (US & Canada):20270724T143000"
    assert instants(event) == ["20270724T1830"]


def test_a_hostile_definition_of_a_zone_is_an_error_at_once() -> None:
    secondly = (
        "BEGIN:VTIMEZONE\nTZID:Z\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0100\n"
        "TZOFFSETTO:+0200\nRRULE:FREQ=SECONDLY\nEND:STANDARD\nEND:VTIMEZONE\n"
    )
    with pytest.raises(InvalidInputError, match="FREQ=SECONDLY is not one that can be followed"):
        take(at("Z", "20270104T100000"), head=secondly)


@st.composite
def definitions(draw: st.DrawFn) -> str:
    """A VTIMEZONE with a summer time, or without, as there might be one."""
    winter = draw(st.integers(-44, 52)) * 15
    offsets = [
        f"{'-' if each < 0 else '+'}{abs(each) // 60:02}{abs(each) % 60:02}"
        for each in (winter, winter + draw(st.sampled_from([0, 30, 60, 120])))
    ]
    return RULES.format(
        name="Z",
        winter=offsets[0],
        summer=offsets[1],
        back=draw(st.sampled_from(["000000", "020000", "030000"])),
        forward=draw(st.sampled_from(["000000", "010000", "020000"])),
        first=draw(st.sampled_from(["-1SU", "2SU", "1FR", "-1TH"])),
        last=draw(st.sampled_from(["-1SU", "1SU", "-1FR"])),
        autumn=draw(st.sampled_from(["9", "10", "11"])),
    )


@settings(max_examples=40)
@given(
    definitions(),
    st.lists(st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)), min_size=1, max_size=4),  # noqa: DTZ001 (a wall time)
)
def test_no_moment_differs_from_the_files_own_definition(
    definition: str, walls: list[datetime]
) -> None:
    """As dateutil reads it, which knows nothing of ours."""
    zone = tzical(StringIO(definition)).get()
    walls = [wall.replace(second=0, microsecond=0) for wall in walls]
    events = [
        at("Z", f"{wall:%Y%m%dT%H%M%S}").replace("UID:1", f"UID:{number}")
        for number, wall in enumerate(walls)
    ]
    found = {each.uid: each for each in read(take(*events, head=definition).definition).events}
    for number, wall in enumerate(walls):
        event, offset = found[f"{number}"], wall.replace(tzinfo=zone).utcoffset()
        near = {(wall + timedelta(hours=h)).replace(tzinfo=zone).utcoffset() for h in (-3, 3)}
        if near == {offset}:  # in the hour of a change all readers have a reading of their own
            assert offset is not None
            assert event.instant(event.start) == (wall - offset).replace(tzinfo=UTC)


# Rules.


def test_a_yearly_day_of_the_month_is_in_the_month_of_the_start() -> None:
    """All apps read it so; the standard's table makes it monthly."""
    made = take(
        "UID:1\nSUMMARY:Anniversary\nDTSTART;VALUE=DATE:20260820\n"
        "RRULE:FREQ=YEARLY;WKST=SU;INTERVAL=1;BYMONTHDAY=20\n"
    )
    (event,) = read(made.definition).events
    assert event.repeat is not None
    assert event.repeat.rule == "FREQ=YEARLY;WKST=SU;INTERVAL=1;BYMONTHDAY=20;BYMONTH=8"
    assert [prop for prop, _ in told(made)] == ["RRULE"]


def test_a_daily_rule_of_days_of_the_month_is_written_as_the_monthly_one() -> None:
    event = only("UID:1\nSUMMARY:T\nDTSTART:20300131T103000Z\nRRULE:FREQ=DAILY;BYMONTHDAY=-1\n")
    assert event["repeat"]["rule"] == "FREQ=MONTHLY;BYMONTHDAY=-1"


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20270107T000000Z", 7),
        ("20270107T235959Z", 7),
        ("20270107T045959Z", 6),
        ("20270107T050000Z", 7),
        ("20270107T090000", 7),
        ("20270107", 7),
    ],
)
def test_the_last_day_of_an_all_day_series_is_the_day_that_until_names(
    until: str, last: int
) -> None:
    made = take(
        f"UID:1\nSUMMARY:Week\nDTSTART;VALUE=DATE:20270104\nRRULE:FREQ=DAILY;UNTIL={until}\n",
        head="X-WR-TIMEZONE:America/New_York\n",
    )
    (event,) = read(made.definition).events
    assert event.repeat is not None
    assert event.repeat.rule == f"FREQ=DAILY;UNTIL=202701{last:02}"


@pytest.mark.parametrize("until", ["20270107", "20270107T100000", "20270107T150000Z"])
def test_a_timed_series_may_end_with_a_date_or_a_wall_time(until: str) -> None:
    event = at("America/New_York", "20270104T100000", f"RRULE:FREQ=DAILY;UNTIL={until}\n")
    assert [each[6:8] for each in instants(event)] == ["04", "05", "06", "07"]


def test_an_end_after_all_that_is_planned_is_none() -> None:
    event = only(EVENT + "RRULE:FREQ=DAILY;UNTIL=99991231T235959Z\n")
    assert event["repeat"]["rule"] == "FREQ=DAILY"


@pytest.mark.parametrize(
    ("start", "rule", "first", "kept"),
    [
        ("16010101", "FREQ=YEARLY", "1900-01-01", "FREQ=YEARLY"),
        ("16040229", "FREQ=YEARLY", "1904-02-29", "FREQ=YEARLY"),
        ("18700301", "FREQ=YEARLY", "1900-03-01", "FREQ=YEARLY"),
        ("18991229", "FREQ=DAILY;COUNT=5", "1900-01-01", "FREQ=DAILY;COUNT=2"),
        ("17000104", "FREQ=WEEKLY;INTERVAL=3", "1900-01-15", "FREQ=WEEKLY;INTERVAL=3"),
        ("18980131", "FREQ=MONTHLY;INTERVAL=5", "1900-07-31", "FREQ=MONTHLY;INTERVAL=5"),
    ],
)
def test_a_series_from_before_1900_begins_with_its_first_date_from_then_on(
    start: str, rule: str, first: str, kept: str
) -> None:
    made = take(f"UID:1\nSUMMARY:T\nDTSTART;VALUE=DATE:{start}\nRRULE:{rule}\n")
    (event,) = read(made.definition).events
    assert event.repeat is not None
    assert (str(event.start), event.repeat.rule) == (first, kept)
    assert event.end == date.fromisoformat(first) + timedelta(days=1)
    assert "DTSTART" in dict(told(made))


def test_a_series_may_have_as_many_exceptions_as_people_made() -> None:
    """Dates that were taken out never come back by themselves."""
    days = [date(2020, 1, 1) + timedelta(days=number) for number in range(12_000)]

    def exdates(number: int) -> str:
        out = ",".join(f"{day:%Y%m%d}" for day in days[1:number])
        return (
            "UID:1\nSUMMARY:T\nDTSTART;VALUE=DATE:20200101\nRRULE:FREQ=DAILY\n"
            f"EXDATE;VALUE=DATE:{out}\n"
        )

    (event,) = read(take(exdates(1_500)).definition).events
    assert event.repeat is not None
    assert len(event.repeat.exclude) == 1_499
    with pytest.raises(InvalidInputError, match="is left out: has 11,999 entries"):
        take(exdates(12_000))


# What an event and a message say.


def test_a_cancellation_cancels() -> None:
    assert only(EVENT, head="METHOD:CANCEL\n")["status"] == "cancelled"


@pytest.mark.parametrize("method", ["REPLY", "COUNTER", "REFRESH"])
def test_an_answer_to_an_invitation_is_no_calendar(method: str) -> None:
    with pytest.raises(InvalidInputError, match=f"METHOD:{method}"):
        take(EVENT, head=f"METHOD:{method}\n")


def test_an_invitation_is_kept_and_said_to_be_one() -> None:
    assert told(take(EVENT, head="METHOD:REQUEST\n"))[0][0] == "METHOD"
    assert take(EVENT, head="METHOD:PUBLISH\n").losses == ()


@pytest.mark.parametrize(
    ("lines", "busy"),
    [
        ("DTSTART:20270104T100000Z\nTRANSP:TRANSPARENT", False),
        ("DTSTART:20270104T100000Z\nTRANSP:OPAQUE", None),
        ("DTSTART;VALUE=DATE:20270104\nTRANSP:OPAQUE", True),
        ("DTSTART;VALUE=DATE:20270104\nTRANSP:TRANSPARENT", None),
    ],
)
def test_whether_an_event_blocks_time_is_kept(lines: str, busy: bool | None) -> None:
    """It makes no deadline of it."""
    event = only(f"UID:1\nSUMMARY:T\n{lines}\n")
    assert event.get("busy") is busy
    assert "kind" not in event


# Bytes.


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.replace("\r\n", "\r").encode(),
        lambda text: text.replace("\r\n", "\n").encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("cp1252"),
    ],
)
def test_a_file_is_read_in_any_encoding_and_with_any_line_ends(encode: object) -> None:
    text = ics("UID:1\nSUMMARY:Café\nDTSTART:20270104T100000Z\n").decode()
    assert callable(encode)
    (event,) = read(import_calendar(encode(text), "desk", "desk").definition).events
    assert event.summary == {"en": "Café"}
    assert event.start.isoformat() == "2027-01-04T10:00:00+00:00"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("ENCODING=BASE64:" + base64.b64encode("Hello, wörld".encode()).decode(), "Hello, wörld"),
        ("ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:W=C3=B6rld=0D=0Aand=\nmore", "Wörld\nandmore"),
        ("ENCODING=8BIT:as it is", "as it is"),
    ],
)
def test_texts_encoded_for_mail_are_decoded(line: str, text: str) -> None:
    event = only(EVENT + f"DESCRIPTION;{line}\n")
    assert event["description"] == {"en": text}


def test_a_text_that_is_not_what_it_is_said_to_be_is_left_out_and_said_so() -> None:
    made = take(EVENT + "DESCRIPTION;ENCODING=BASE64:%%%\n")
    assert [prop for prop, _ in told(made)] == ["DESCRIPTION"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x1f\x8b\x08", "compressed with gzip"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:X\n" * 200, "nested deeper than"),
        (b"BEGIN:VCALENDAR\n" + b"\n" * 1_000_001, "more than 1,000,000 lines"),
        (
            ics(EVENT + "EXDATE:" + ",".join(["20300211T103000Z"] * 60_000)),
            "lists more than 50,000 dates",
        ),
        (
            ics(
                *(
                    f"UID:{each}\nSUMMARY:T\nDTSTART:19000101T000000Z\nRRULE:FREQ=HOURLY\n"
                    "EXDATE:21990101T000000Z\n"
                    for each in range(30)
                )
            ),
            "takes more than 1,000,000 steps",
        ),
    ],
)
def test_what_would_keep_a_machine_busy_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        import_calendar(data, "desk", "desk")


# Many events.


def test_a_large_calendar_becomes_a_folder_of_files_by_year() -> None:
    text = "x" * 1_500
    events = [
        f"UID:{number}\nSUMMARY:T {number}\nDTSTART;VALUE=DATE:{2026 + number % 3}0104\n"
        f"DESCRIPTION:{text}\n"
        for number in range(3_000)
    ]
    seen: list[tuple[int, int]] = []
    made = import_calendar(
        ics(*events), "desk", "desk", progress=lambda done, of: seen.append((done, of))
    )
    assert set(made.files) == {
        *("desk/calendar.yaml", "desk/2026.yaml", "desk/2027.yaml", "desk/2028.yaml")
    }
    assert made.events == 3_000
    assert seen[0] == (0, 3_000)
    assert seen[-1] == (3_000, 3_000)


def test_remarks_are_grouped_by_their_cause() -> None:
    losses = [
        Loss('"A"', "ATTENDEE", "calfeed keeps no attendees"),
        Loss('"B"', "EXDATE", "is not one of its dates", "2030-01-01"),
        Loss('"B"', "EXDATE", "is not one of its dates", "2030-01-02"),
        *(Loss(f'"{each}"', "X-A", "calfeed has no such property") for each in range(1_500)),
    ]
    assert group_losses(losses) == [
        '"A": ATTENDEE: calfeed keeps no attendees',
        'EXDATE: is not one of its dates (2 times: "B": 2030-01-01)',
        'X-A: calfeed has no such property (1,500 events, first "0")',
    ]


def test_times_of_a_calendar_that_names_its_zone_are_on_its_clocks() -> None:
    made = take(
        "UID:1\nSUMMARY:T\nDTSTART:20300711T103000\n", head="X-WR-TIMEZONE:Eastern Standard Time\n"
    )
    assert read(made.definition).events[0].zone == ZoneInfo("America/New_York")


def test_a_definition_says_busy_only_where_it_can_be() -> None:
    def check(lines: str) -> Calendar:
        text = f"name: D\ntime_zone: UTC\nevents:\n  a:\n    summary: A\n{lines}"
        return read(text.encode())

    assert check("    start: 2030-01-01 10:00\n    busy: false\n").events[0].blocks_time is False
    assert check("    start: 2030-01-01 10:00\n    busy: yes\n").events[0].busy is None
    assert check("    start: 2030-01-01\n    busy: true\n").events[0].blocks_time is True
    assert check("    start: 2030-01-01\n").events[0].blocks_time is False
    with pytest.raises(DefinitionError, match="a deadline blocks no time"):
        check("    start: 2030-01-01 10:00\n    kind: deadline\n    busy: true\n")
    with pytest.raises(DefinitionError, match='must be true or false, not "maybe"'):
        check("    start: 2030-01-01 10:00\n    busy: maybe\n")
