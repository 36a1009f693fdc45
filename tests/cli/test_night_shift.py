"""Commands about failures: what failed and why, retries, and who was notified when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from calfeed.cli.delivery_output import printable
from calfeed.model.states import EndpointState
from calfeed.store.endpoints.lifecycle import pause_or_disable_endpoint, remove_endpoint
from calfeed.store.endpoints.records import find_endpoint
from calfeed.store.secrets.sealing import Places, keyring_of
from calfeed.store.tables import attempts, messages
from tests.cli.records import ALWAYS, AUGUST, DAY_BEFORE, JUNE, WEEK_BEFORE, Records
from tests.publish.desk import OTHERS

HOUR = timedelta(hours=1)
STAY = "The stay ends: 30 June 2025, in 7 days"
FAR = "far:\n  summary: Far away\n  start: 2027-06-30\n  reminders: [1 week]\n"


def listed(records: Records, *words: str) -> list[str]:
    """The endpoints of the deliveries that a list has."""
    return sorted(row["endpoint"] for row in records.ask("delivery", "list", *words))


# Lists


def test_a_list_says_of_each_delivery_what_it_is_about(records: Records) -> None:
    records.tell()
    assert [row["text"] for row in records.ask("delivery", "list")] == [STAY, STAY]
    lines = records.do("delivery", "list").splitlines()
    assert lines[0].split() == [
        *("delivery", "state", "attempts", "type", "endpoint", "when", "about")
    ]
    assert all(line.endswith(STAY) for line in lines[1:])


def test_a_list_holds_what_was_asked_for(records: Records) -> None:
    records.tell()
    assert listed(records) == ["end_bad", "end_good"]
    assert listed(records, "--endpoint", "end_good") == ["end_good"]
    assert listed(records, "--pending") == ["end_bad"]
    assert listed(records, "--failed") == []
    assert "no such deliveries" in records.do("delivery", "list", "--failed")
    records.give_up()
    assert listed(records, "--failed") == ["end_bad"]
    assert listed(records, "--pending") == []
    records.give_up()
    assert len(listed(records, "--limit", "1")) == 1
    assert "the newest 1; --limit shows more" in records.run("delivery", "list", "--limit=1").stderr


def test_a_list_holds_what_is_held(records: Records) -> None:
    records.tell()
    with records.database.write() as connection:
        pause_or_disable_endpoint(connection, "end_bad", EndpointState.PAUSED, records.now)
    assert listed(records, "--held") == ["end_bad"]
    assert listed(records, "--held", "--pending") == ["end_bad"]


def test_a_list_of_an_event_has_no_other_and_one_that_never_was_is_an_error(
    records: Records,
) -> None:
    records.subscribe()
    records.publish(JUNE, OTHERS)
    records.deliver()
    assert len(listed(records)) == 5
    assert len(listed(records, "--event", "desk/stay")) == 1
    said = str(records.run("delivery", "list", "--event", "desk/stays").exception)
    assert 'there never was an event "desk/stays"' in said


def test_a_list_since_a_time_has_what_ended_then_or_is_of_a_message_made_then(
    records: Records,
) -> None:
    records.tell()
    since = ("--since", "2025-06-23T05:00")
    assert listed(records, "--since", "2025-06-23T04:00") == ["end_bad", "end_good"]
    assert listed(records, *since) == []
    records.now += HOUR
    records.give_up()
    assert listed(records, *since) == ["end_bad"]
    assert "--since" in str(records.run("delivery", "list", "--since", "soon").exception)


# One delivery


def test_every_attempt_is_shown_with_the_start_of_the_answer_made_safe(records: Records) -> None:
    records.tell()
    with records.database.write() as connection:
        for row in connection.execute(select(attempts)).all():
            place = Places(attempts.c.response).of(row.delivery_id, row.claim)
            sealed = keyring_of(connection).seal(place, "\x1b[2Jsorry")
            of_row = attempts.c.delivery_id == row.delivery_id
            connection.execute(update(attempts).where(of_row).values(response=sealed))
    (number,) = (row["id"] for row in records.ask("delivery", "list", "--pending"))
    shown = records.do("delivery", "show", str(number))
    assert "ms  status 500: \\x1b[2Jsorry\n" in shown
    (attempt,) = records.ask("delivery", "show", str(number))["attempts"]
    assert (attempt["status"], attempt["response"]) == (500, "\x1b[2Jsorry")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("a\r\nb\x9b1m", "a\\r\\nb\\x9b1m"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("می\u200cشود", "می\u200cشود"),  # a joiner belongs to the word
    ],
)
def test_what_would_command_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_message_whose_body_is_no_longer_kept_is_still_shown(records: Records) -> None:
    records.tell()
    with records.database.write() as connection:
        connection.execute(update(messages).values(body=None))
    assert "its body was deleted" in records.do("delivery", "show", "1")
    assert records.ask("delivery", "show", "1")["message"] is None


# Once more


def test_what_failed_is_sent_again_under_its_own_id(records: Records) -> None:
    records.tell()
    (number,) = records.give_up()
    assert "1 delivery pending again" in records.do("delivery", "retry", str(number))
    records.redirect("/status/204", "end_bad")
    records.now += HOUR
    assert {row.state for row in records.deliver()} == {"delivered"}
    assert len({post.headers["webhook-id"] for post in records.receiver.posts}) == 1


def test_of_many_each_that_is_not_sent_again_has_its_reason(records: Records) -> None:
    records.tell()
    (number,) = records.give_up()
    (good,) = {1, 2} - {number}
    result = records.run("delivery", "retry", str(number), str(good))
    assert result.exit_code == 1
    assert result.stdout.startswith("1 delivery pending again")
    assert result.stderr == f"delivery {good} was delivered, so it is not sent again\n"


@pytest.mark.parametrize(
    "words",
    [
        ("delivery", "show", "9" * 23),
        ("delivery", "retry", "9" * 23),
        ("token", "revoke", str(2**63)),
        ("delivery", "show", "0"),
    ],
)
def test_a_number_that_no_row_can_have_is_wrong_usage(
    records: Records, words: tuple[str, ...]
) -> None:
    assert records.run(*words).exit_code == 2
    assert records.run(words[0], words[1], str(2**63 - 1)).exit_code == 1


@pytest.mark.parametrize(
    "words",
    [
        ("reminders", "--to", "9999-12-31"),
        ("reminders", "--from", "9999-12-31T23:59-14:00"),
        ("reminders", "--from", "0001-01-01", "--to", "0001-01-02"),
        ("delivery", "list", "--since", "0001-01-01T00:00+05:00"),
    ],
)
def test_a_time_in_a_year_that_no_definition_may_have_is_an_error_for_people(
    records: Records, words: tuple[str, ...]
) -> None:
    assert "the year must be from 1900 to 2200" in str(records.run(*words).exception)


def test_a_number_that_is_not_there_sends_nothing_again(records: Records) -> None:
    records.tell()
    (number,) = records.give_up()
    result = records.run("delivery", "retry", str(number), "77")
    assert "there is no delivery 77" in str(result.exception)
    assert listed(records, "--failed") == ["end_bad"]


def test_all_that_failed_for_an_endpoint_since_a_time_is_sent_again(records: Records) -> None:
    records.subscribe("/status/500", "end_1")
    records.publish(JUNE)
    records.deliver()
    records.give_up()
    records.now += HOUR
    records.publish(JUNE, OTHERS)
    records.deliver()
    records.give_up()
    since = ("--endpoint", "end_1", "--since", f"{records.now:%Y-%m-%dT%H:%M}")
    assert "4 deliveries pending again" in records.do("delivery", "retry", *since)
    assert len(listed(records, "--failed")) == 1
    records.give_up("expired")
    result = records.run("delivery", "retry", *since)
    assert result.exit_code == 0
    assert result.stdout == "0 deliveries pending again\n"
    assert result.stderr.count("came too late to be useful, so it is not sent again") == 4


def test_what_is_asked_for_has_to_be_one_or_the_other(records: Records) -> None:
    for words in ([], ["1", "--endpoint", "end_1"], ["--endpoint", "end_1"], ["--since", "2025"]):
        assert "either delivery ids" in records.run("delivery", "retry", *words).output
    words = ["--endpoint", "end_9", "--since", "2025-06-01"]
    assert '"end_9"' in str(records.run("delivery", "retry", *words).exception)


def test_what_is_for_an_endpoint_that_is_not_active_is_held_for_it(records: Records) -> None:
    records.tell()
    (number,) = records.give_up()
    with records.database.write() as connection:
        pause_or_disable_endpoint(connection, "end_bad", EndpointState.DISABLED, records.now)
    assert records.ask("delivery", "retry", str(number)) == {
        "pending": [],
        "held": [number],
        "refused": [],
    }
    assert listed(records, "--held") == ["end_bad"]


def test_what_is_over_or_has_no_endpoint_is_not_sent_again(records: Records) -> None:
    records.tell()
    (number,) = map(str, records.give_up())
    with records.database.write() as connection:
        connection.execute(update(messages).values(until=records.now))
    assert "the occurrence has begun" in records.run("delivery", "retry", number).stderr
    with records.database.write() as connection:
        remove_endpoint(connection, "end_bad", records.now)
    assert "was dropped: its endpoint" in records.run("delivery", "retry", number).stderr


# Reminders of a window


def test_the_past_says_when_a_reminder_was_sent_and_who_received_it(records: Records) -> None:
    records.tell()
    (one, other) = records.ask("reminders", *ALWAYS)
    assert (one["rule"], one["state"], one["late_seconds"]) == ("1 week before", "sent", 0)
    assert one["sent_at"] == WEEK_BEFORE.isoformat()
    assert one["occurrence"]["start"] == "2025-06-30"
    receipts = {entry["endpoint"]: entry for entry in one["deliveries"]}
    assert list(receipts) == one["endpoints"] == ["end_bad", "end_good"]
    assert receipts["end_good"]["state"] == "delivered"
    assert receipts["end_good"]["received_at"]
    assert receipts["end_bad"]["state"] == "pending"
    assert receipts["end_bad"]["received_at"] is None
    assert other["state"] == "planned"
    assert "1 week before; sent 2025-06-23 04:00:00Z\n" in records.do("reminders", *ALWAYS)
    records.now = DAY_BEFORE + HOUR
    assert "1 day before; due, and not sent yet" in records.do("reminders", *ALWAYS)


def test_the_past_says_how_late_a_reminder_was(records: Records) -> None:
    records.subscribe_both()
    records.publish(JUNE)
    records.now = WEEK_BEFORE + 3 * HOUR
    records.deliver()
    assert records.ask("reminders", *ALWAYS)[0]["late_seconds"] == 3 * 3600
    assert "sent 2025-06-23 07:00:00Z, 3 hours late" in records.do("reminders", *ALWAYS)


def test_the_past_shows_what_was_missed(records: Records) -> None:
    records.publish(JUNE)
    records.now = DAY_BEFORE + timedelta(days=9)
    records.deliver()
    assert {one["state"] for one in records.ask("reminders", *ALWAYS)} == {"missed"}
    text = records.do("reminders", *ALWAYS)
    assert text.count("missed: it was found due only after its occurrence had begun") == 2


def test_the_past_is_told_from_the_record_not_from_the_dates_as_they_are(records: Records) -> None:
    records.tell()
    records.publish(AUGUST)
    records.now = DAY_BEFORE + HOUR
    found = records.ask("reminders", *ALWAYS)
    assert [(one["occurrence"]["start"], one["state"]) for one in found] == [
        ("2025-06-30", "recalled"),
        ("2025-06-30", "withdrawn"),
        ("2025-08-31", "planned"),
        ("2025-08-31", "planned"),
    ]
    assert [entry["state"] for entry in found[0]["deliveries"]] == ["superseded", "delivered"]
    text = records.do("reminders", *ALWAYS)
    assert "recalled: its event changed after it was sent (2025-06-23 05:00:00Z)" in text
    assert "withdrawn: its event changed before it was due (2025-06-23 05:00:00Z)" in text


def test_what_collapsed_says_so(records: Records) -> None:
    records.subscribe_both()
    records.publish(JUNE)
    records.now = DAY_BEFORE + HOUR
    records.deliver()
    (far, near) = records.ask("reminders", *ALWAYS)
    assert (far["state"], near["state"]) == ("collapsed", "sent")
    assert "collapsed: a reminder nearer to the date was sent" in records.do("reminders", *ALWAYS)
    assert "reminder 1 week before, due 2025-06-23 04:00:00Z: collapsed" in records.do(
        "event", "history", "desk/stay"
    )


def test_a_reminder_for_many_says_how_many_and_json_names_them(records: Records) -> None:
    for number in range(11):
        records.subscribe(name=f"end_{number:02}")
    records.publish(JUNE)
    records.now = WEEK_BEFORE
    records.deliver()
    assert "to 11 endpoints: 11 delivered" in records.do("reminders", *ALWAYS)
    assert len(records.ask("reminders", *ALWAYS)[0]["deliveries"]) == 11


def test_what_was_past_when_it_was_published_says_so_and_no_more(records: Records) -> None:
    records.now = WEEK_BEFORE + HOUR
    records.subscribe_both()
    records.publish(JUNE.replace("2025-06-30", "2025-06-10"))
    for one in records.ask("reminders", *ALWAYS):
        assert (one["state"], one["deliveries"]) == ("past when it was published", [])


def test_a_window_over_now_has_what_was_and_what_will_be(records: Records) -> None:
    records.subscribe_both()
    records.publish(JUNE, FAR)
    records.now = WEEK_BEFORE
    records.deliver()
    window = ("reminders", "--from=2025-06-01", "--to=2027-12-01")
    records.now += HOUR
    found = records.ask(*window)
    assert [one["state"] for one in found] == ["sent", "planned", "to be planned"]
    assert found[1]["endpoints"] == found[2]["endpoints"] == ["end_bad", "end_good"]
    assert found[1]["deliveries"] == []
    assert found[0].keys() == found[1].keys()
    assert records.ask("reminders", "--from=2027-06-01", "--to=2027-12-01") == [found[2]]
    text = records.do(*window)
    assert "1 week before; to be planned; to end_bad http://127.0.0.1" in text
    assert "3 reminders from 2025-06-01 00:00 to 2027-12-01 00:00 UTC" in text


# One event


def test_a_history_tells_in_order_what_was_published_and_who_was_told(records: Records) -> None:
    records.tell()
    records.publish(AUGUST)
    records.deliver()
    told = records.ask("event", "history", "desk/stay")
    assert told["event"] == "desk/stay"
    assert len(told["uids"]) == 1
    history = told["history"]
    assert [entry["at"] for entry in history] == sorted(entry["at"] for entry in history)
    assert [entry.get("change") or entry.get("type") or entry["state"] for entry in history] == [
        *("added", "event.added", "reminder.due", "moved", "event.moved", "recalled")
    ]
    assert history[3]["previous"]["start"] == "2025-06-30"
    assert history[2]["reminder"]["rule"] == "1 week before"
    received = {one["endpoint"]: one["received_at"] for one in history[4]["deliveries"]}
    assert received["end_good"]
    assert received["end_bad"] is None
    text = records.do("event", "history", "desk/stay")
    assert "moved from 30 June 2025 to 31 August 2025: The stay ends" in text
    assert "reminder.due, 1 week before: The stay ends: 30 June 2025, in 7 days" in text
    assert "to nobody: it matched no endpoint" in text  # that it was added
    assert "2 revisions, 3 messages, 2 receipts; times are UTC" in text


def test_an_event_that_is_gone_has_its_history(records: Records) -> None:
    records.tell()
    records.publish(OTHERS, allow_removals=True)
    history = records.ask("event", "history", "desk/stay")["history"]
    assert [one["change"] for one in history if one["what"] == "revision"] == [
        "added",
        "withdrawn",
    ]
    assert "; withdrawn" in records.do("event", "history", "desk/stay").splitlines()[0]


def test_an_endpoint_that_is_gone_is_still_told_of(records: Records) -> None:
    records.tell()
    with records.database.write() as connection:
        remove_endpoint(connection, "end_good", records.now)
        assert find_endpoint(connection, "end_bad")
    history = records.ask("event", "history", "desk/stay")["history"]
    assert {one["endpoint"] for one in history[2]["deliveries"]} == {"end_bad", "end_good"}


def test_a_history_of_what_never_was_is_an_error_for_people(records: Records) -> None:
    records.publish(JUNE)
    for name in ("desk/sta", "stay", "other/stay", "desk/%"):
        said = str(records.run("event", "history", name).exception)
        assert f'there never was an event "{name}"' in said


def test_no_report_shows_a_secret_or_the_path_of_a_url(records: Records) -> None:
    records.subscribe("/status/204/hunter2?token=hunter2", "end_1")
    records.publish(JUNE)
    records.now = WEEK_BEFORE
    records.deliver()
    for words in (["event", "history", "desk/stay"], ["reminders", *ALWAYS], ["delivery", "list"]):
        for form in ([], ["--json"]):
            said = records.do(*words, *form)
            assert "end_1" in said
            assert "hunter2" not in said
            assert "whsec_" not in said
