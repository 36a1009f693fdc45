"""Why a counted date moved: its cause, or the holidays. Cases that really happened."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from calfeed.model.dates.dating import Hold
from calfeed.model.dates.holiday_library import HOLIDAY_LIBRARY
from tests.definitions.counted import AmendedHolidays, write_calendar
from tests.publish.dated import publish, publish_events, tell
from tests.publish.desk import Desk

ENGLAND = "working_days: {holidays: [GB-ENG]}"


def _starts(desk: Desk) -> dict[str, str]:
    return {slug: one.event.start.isoformat() for slug, one in desk.revisions().items()}


def test_the_bank_holiday_that_was_moved_to_ve_day_moves_the_dates_around_it(desk: Desk) -> None:
    # On 7 June 2019 the holiday of 4 May 2020 was moved to Friday, 8 May.
    desk.add_endpoint()
    desk.now = datetime(2019, 6, 7, 8, tzinfo=UTC)
    events = """
        april: {summary: Request of 6 April, start: 2020-04-06}
        april-answer: {summary: Answer, start: 20 working days after april}
        later: {summary: Request of 14 April, start: 2020-04-14}
        later-answer: {summary: Later answer, start: 20 working days after later}
        may: {summary: Request of 5 May, start: 2020-05-05}
        may-answer: {summary: May answer, start: 3 working days after may}
        """
    before = AmendedHolidays(
        {("GB-ENG", date(2020, 5, 4)): "May Day"}, [("GB-ENG", date(2020, 5, 8))]
    )
    publish_events(desk, events, ENGLAND, before)
    assert [_starts(desk)[slug] for slug in ("april-answer", "later-answer", "may-answer")] == [
        *("2020-05-07", "2020-05-13", "2020-05-08")
    ]
    told = publish_events(desk, events, ENGLAND)
    assert [_starts(desk)[slug] for slug in ("april-answer", "later-answer", "may-answer")] == [
        *("2020-05-06", "2020-05-13", "2020-05-11")
    ]
    # The later answer's days were counted anew, with the same result: there is nothing to tell.
    assert set(told) == {"april-answer", "may-answer"}
    assert told["april-answer"]["cause"] == {
        "text": "because the holidays changed: 4 May 2020 (May Day) removed from them",
        "holidays": HOLIDAY_LIBRARY.release,
        "added": [],
        "removed": [{"date": "2020-05-04", "name": "May Day", "estimated": False}],
    }
    added = told["may-answer"]["cause"]["added"]
    assert [(day["date"], day["name"]) for day in added] == [("2020-05-08", "May Day")]
    assert told["april-answer"]["text"] == (
        "Answer: moved from 7 May 2020 to 6 May 2020, because the holidays changed: 4 May 2020 "
        "(May Day) removed from them"
    )


def test_a_bank_holiday_at_nine_days_notice_moves_the_answers_to_running_requests(
    desk: Desk,
) -> None:
    # On 10 September 2022 the 19th was proclaimed a bank holiday.
    desk.add_endpoint()
    desk.now = datetime(2022, 9, 10, 12, tzinfo=UTC)
    days = (
        *("2022-08-10", "2022-08-18", "2022-08-19", "2022-08-22", "2022-08-30"),
        *("2022-09-01", "2022-09-07", "2022-09-16", "2022-09-19"),
    )
    events = "\n".join(
        f"r{day}: {{summary: Request, start: {day}}}\n"
        f"a{day}: {{summary: Answer, start: 20 working days after r{day}}}"
        for day in days
    )
    before = AmendedHolidays(removed=[("GB-ENG", date(2022, 9, 19))])
    publish_events(desk, events, ENGLAND, before)
    old = _starts(desk)
    told = publish_events(desk, events, ENGLAND)
    new = _starts(desk)
    answers = {day: (old[f"a{day}"], new[f"a{day}"]) for day in days}
    assert answers == {
        "2022-08-10": ("2022-09-08", "2022-09-08"),
        "2022-08-18": ("2022-09-16", "2022-09-16"),
        "2022-08-19": ("2022-09-19", "2022-09-20"),
        "2022-08-22": ("2022-09-20", "2022-09-21"),
        "2022-08-30": ("2022-09-27", "2022-09-28"),
        "2022-09-01": ("2022-09-29", "2022-09-30"),
        "2022-09-07": ("2022-10-05", "2022-10-06"),
        "2022-09-16": ("2022-10-14", "2022-10-17"),
        # The day of the request does not count, whether it is a holiday or not.
        "2022-09-19": ("2022-10-17", "2022-10-17"),
    }
    moved = {f"a{day}" for day, (was, now) in answers.items() if was != now}
    assert set(told) == moved
    for slug in moved:
        (added,) = told[slug]["cause"]["added"]
        assert added["date"] == "2022-09-19"
        assert added["name"] == "State Funeral of Queen Elizabeth II"
        assert told[slug]["cause"]["removed"] == []
        assert len(desk.revisions()[slug].history) == 1
        assert desk.revisions()[slug].holidays == HOLIDAY_LIBRARY.release


HEARING = """
    hearing: {summary: Hearing, start: 2027-03-15}
    papers: {summary: Papers, start: 3 working days before hearing, at: "17:00"}
    notice: {summary: Notice, start: 1 working day before hearing}
    """


def test_an_eid_that_is_proclaimed_a_day_later_moves_the_dates_and_names_it(desk: Desk) -> None:
    # The library estimates Eid for 10 to 12 March 2027; the moon is seen a day later.
    desk.add_endpoint()
    publish_events(desk, HEARING, "working_days: {holidays: [PK]}")
    before = desk.revisions()["papers"].event
    assert before.start.isoformat() == "2027-03-05T17:00:00+00:00"
    assert before.derivation is not None
    assert before.derivation.provisional
    proclaimed = """
        working_days:
          holidays: [PK]
          open: [2027-03-10]
          closed: [{date: 2027-03-13, title: Eid al-Fitr as proclaimed}]
        """
    told = publish_events(desk, HEARING, proclaimed)
    assert _starts(desk)["papers"] == "2027-03-08T17:00:00+00:00"
    assert _starts(desk)["notice"] == "2027-03-10"
    assert set(told) == {"papers", "notice"}
    assert told["papers"]["change"] == "moved"
    assert told["papers"]["cause"]["removed"] == [
        {"date": "2027-03-10", "name": "Eid al-Fitr", "estimated": True}
    ]
    assert "because the holidays changed: 10 March 2027 (Eid al-Fitr)" in told["papers"]["text"]


def test_an_office_of_six_days_has_the_saturday_of_that_eid_off_too(desk: Desk) -> None:
    desk.add_endpoint()
    head = "working_days: {{holidays: [PK], weekend: [sunday]{more}}}"
    publish_events(desk, HEARING, head.format(more=""))
    assert _starts(desk)["notice"] == "2027-03-13"
    closed = ", open: [2027-03-10], closed: [{date: 2027-03-13, title: Eid as proclaimed}]"
    told = publish_events(desk, HEARING, head.format(more=closed))
    assert _starts(desk)["notice"] == "2027-03-10"
    assert set(told) == {"notice"}, "the papers have as many days as before"
    assert told["notice"]["cause"]["added"] == [
        {"date": "2027-03-13", "name": "Eid as proclaimed", "estimated": False}
    ]


CHAIN = """
    ruling: {{summary: Ruling, start: {start}{keys}}}
    appeal: {{summary: Appeal, kind: deadline, start: 14 days after ruling}}
    brief: {{summary: Brief, start: 1 week after appeal}}
    """


def _publish_chain(desk: Desk, start: str, keys: str = "") -> dict[str, Any]:
    return publish_events(desk, CHAIN.format(start=start, keys=keys))


def test_a_cause_that_moves_moves_all_that_is_counted_from_it_in_the_same_publish(
    desk: Desk,
) -> None:
    desk.add_endpoint()
    _publish_chain(desk, "2030-06-12")
    told = _publish_chain(desk, "2030-06-14")
    assert _starts(desk) == {"ruling": "2030-06-14", "appeal": "2030-06-28", "brief": "2030-07-05"}
    assert set(told) == {"ruling", "appeal", "brief"}
    assert "cause" not in told["ruling"]
    uids = {slug: one.event.uid for slug, one in desk.revisions().items()}
    assert told["appeal"]["cause"] == {
        "text": "because Ruling moved from 12 June 2030 to 14 June 2030",
        "calendar": "desk",
        "event": "ruling",
        "uid": uids["ruling"],
        "summary": "Ruling",
        "earliest": "2030-06-14",
        "latest": "2030-06-14",
        "when": "14 June 2030",
        "previous": {"earliest": "2030-06-12", "latest": "2030-06-12", "when": "12 June 2030"},
    }
    assert told["brief"]["cause"]["event"] == "appeal"
    assert told["brief"]["text"] == (
        "Brief: moved from 3 July 2030 to 5 July 2030, because Appeal moved from 26 June 2030 to "
        "28 June 2030"
    )


def test_a_cause_that_firms_firms_what_is_counted_from_it(desk: Desk) -> None:
    desk.add_endpoint()
    added = _publish_chain(desk, "2030-06")
    assert added["appeal"]["event"]["when"]["edtf"] == "[2030-06-15..2030-07-14]"
    told = _publish_chain(desk, "2030-06-12")
    assert {slug: message["change"] for slug, message in told.items()} == dict.fromkeys(
        ("ruling", "appeal", "brief"), "firmed"
    )
    assert told["appeal"]["cause"]["text"] == "because Ruling moved from June 2030 to 12 June 2030"
    loosened = _publish_chain(desk, "2030-06-12..2030-06-14")
    assert loosened["brief"]["change"] == "loosened"


def test_a_cause_without_a_date_makes_the_rest_wait_and_come_back(desk: Desk) -> None:
    desk.add_endpoint()
    _publish_chain(desk, "2030-06-12")
    for start, keys in (("postponed", ""), ("2030-06-12", ", status: cancelled")):
        told = _publish_chain(desk, start, keys)
        assert set(told) == {"ruling", "appeal", "brief"}
        assert told["appeal"]["change"] == told["brief"]["change"] == "postponed"
        assert told["appeal"]["event"]["on_hold"]["why"] == "waiting"
        assert told["appeal"]["event"]["on_hold"]["for"]["event"] == "ruling"
        assert told["brief"]["event"]["on_hold"]["for"]["event"] == "appeal"
        assert told["appeal"]["cause"]["text"] == "because Ruling has no date"
        assert told["appeal"]["cause"]["previous"]["when"] == "12 June 2030"
        assert told["appeal"]["cause"]["earliest"] is None
        assert told["appeal"]["text"] == (
            "Appeal: waiting for Ruling; it was 26 June 2030, because Ruling has no date"
        )
        holds = {slug: one.event.on_hold for slug, one in desk.revisions().items()}
        assert holds["appeal"] is not None
        assert holds["appeal"].why is Hold.WAITING
        assert _starts(desk)["brief"] == "2030-07-03", "it stays where it was"
        back = _publish_chain(desk, "2030-06-12")
        assert set(back) == {"ruling", "appeal", "brief"}
        assert back["appeal"]["cause"]["text"] == "because Ruling is 12 June 2030"
        assert back["appeal"]["cause"]["previous"] is None


def test_an_edit_of_something_else_while_an_event_waits_is_not_told_with_its_cause(
    desk: Desk,
) -> None:
    desk.add_endpoint()
    events = """
        ruling: {{summary: Ruling, start: {start}}}
        appeal: {{summary: {summary}, start: 14 days after ruling}}
        """
    publish_events(desk, events.format(start="2030-06-12", summary="Appeal"))
    publish_events(desk, events.format(start="postponed", summary="Appeal"))
    told = publish_events(desk, events.format(start="postponed", summary="Last appeal"))
    assert set(told) == {"appeal"}
    assert told["appeal"]["type"] == "event.changed"
    assert "cause" not in told["appeal"]


def test_an_edit_of_a_date_that_stays_is_not_told_with_a_cause_that_moved(desk: Desk) -> None:
    # From a Saturday or a Sunday the next working day is the same Monday.
    desk.add_endpoint()
    events = """
        ruling: {{summary: Ruling, start: {start}}}
        appeal: {{summary: {summary}, start: 7 days after ruling, roll: next}}
        """
    publish_events(desk, events.format(start="2030-06-01", summary="Appeal"), ENGLAND)
    told = publish_events(desk, events.format(start="2030-06-02", summary="Last appeal"), ENGLAND)
    assert told["appeal"]["type"] == "event.changed"
    assert "cause" not in told["appeal"]
    assert _starts(desk)["appeal"] == "2030-06-10"


def test_a_rule_that_is_edited_is_the_reason_itself(desk: Desk) -> None:
    desk.add_endpoint()
    publish_events(desk, CHAIN.format(start="2030-06-12", keys=""))
    told = publish_events(
        desk, CHAIN.replace("14 days", "21 days").format(start="2030-06-12", keys="")
    )
    assert set(told) == {"appeal", "brief"}
    assert "cause" not in told["appeal"]
    assert told["brief"]["cause"]["event"] == "appeal"


def test_a_cause_may_be_in_another_calendar(desk: Desk) -> None:
    desk.add_endpoint()
    files = {
        "court": write_calendar("hearing: {summary: H, start: 2030-06-12}"),
        "desk": write_calendar("papers: {summary: P, start: 3 days before court/hearing}"),
    }
    publish(desk, files)
    moved = {**files, "court": write_calendar("hearing: {summary: H, start: 2030-06-19}")}
    told = tell(publish(desk, moved))
    assert told["papers"]["cause"]["calendar"] == "court"
    assert told["papers"]["cause"]["text"] == "because H moved from 12 June 2030 to 19 June 2030"
    assert _starts(desk)["papers"] == "2030-06-16"
