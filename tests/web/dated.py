"""A court's calendar with every kind of date that is not just a date, published in two steps."""

from __future__ import annotations

from datetime import UTC, datetime

_COURT = """
name: {en: The court, ur: عدالت, ps: محکمه, fa-AF: محکمه}
time_zone: Asia/Karachi
color: teal
reminders: [1 week]
working_days:
  holidays: [PK]
  weekend: [saturday, sunday]
  closed: [{date: 2027-03-04, title: {en: Flood, ur: سیلاب, ps: سېلاب, fa-AF: سیلاب}}]
events:
  ruling:
    summary: {en: Ruling, ur: فیصلہ, ps: پرېکړه, fa-AF: فیصله}
    start: 2027-06
  budget: {summary: Budget, start: 2027-Q3}
  hearing: {summary: Hearing, start: 2026-12-09..2026-12-11}
  talk: {summary: Talk, start: 2026-12-15 time to be confirmed}
  trial: {summary: {en: Trial, ur: مقدمہ, ps: محاکمه, fa-AF: محاکمه}, start: 2027-03-08 10:00}
  papers:
    summary: {en: Papers, ur: کاغذات, ps: کاغذونه, fa-AF: اوراق}
    start: 3 working days before trial
  appeal: {summary: Appeal, kind: deadline, start: 14 days after ruling, roll: next}
  feast: {summary: Feast, start: 5 working days after trial}
  bill: {summary: Bill, kind: deadline, start: 2026-12-10}
  study: {summary: Study, start: 2026-10}
  forms: {summary: Forms, start: 2026-12-01, kind: deadline%(done)s}
  launch: {summary: {en: Launch, ur: آغاز, ps: پیل, fa-AF: آغاز}, start: %(launch)s}
  party: {summary: Party, start: 2 days after launch}
  vote: {summary: Vote, start: %(vote)s}
  visit: {summary: Visit, start: %(visit)s}
  sitting: {summary: Sitting, start: %(sitting)s}
"""

FIRST = _COURT % {
    "done": "",
    "launch": "2026-12-18",
    "vote": "2026-12-12",
    "visit": "2026-12",
    "sitting": "2026-12-16",
}
"""The first publish: every event has the date that it had."""

SECOND = _COURT % {
    "done": ", done: {as: met, date: 2026-11-20}",
    "launch": "postponed",
    "vote": "2026-12-21, correction: {was: 2026-12-12}",
    "visit": "2026-12-14",
    "sitting": "2026-12-17",
}
"""The second: a form is in, the launch is postponed, the vote corrected, the visit firmed."""

FIRST_DAY = datetime(2026, 11, 10, 12, tzinfo=UTC)
"""When the first is published."""
