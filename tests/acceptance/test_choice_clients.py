"""Real clients subscribe to a reader's own choice and follow it."""

from __future__ import annotations

from urllib.error import HTTPError

import pytest

from tests.acceptance.site import Site, until
from tests.acceptance.subscriber import Subscriber

COURT = """
name: Court
time_zone: Asia/Karachi
events:
  hearing: {summary: Hearing, start: 2030-05-06 10:00, duration: 1 hour, categories: [hearing]}
  filing: {summary: Filing, start: 2030-05-07, categories: [deadline]}
  other: {summary: Other, start: 2030-05-08, categories: [rest]}
"""
CHOICE = "choice.ics?calendar=court:deadline,hearing&event=un-observances/un-day&alarms=1h"


def test_vdirsyncer_and_khal_follow_a_choice_when_a_date_moves_and_a_calendar_is_renamed(
    site: Site,
) -> None:
    site.write("court.yaml", COURT)
    with site.serving():
        subscriber = Subscriber(site.folder / "subscriber", site.environment)
        subscriber.subscribe("mine", f"{site.url}/{CHOICE}")
        subscriber.sync()
        days = {("2030-05-06", "Hearing"), ("2030-05-07", "Filing")}
        assert subscriber.days("mine", "2030-05-01", "2030-05-31") == days
        assert subscriber.days("mine", "2030-10-24", "2030-10-24") == {
            ("2030-10-24", "United Nations Day")
        }
        before = subscriber.stored("mine")
        assert len(before) == 3
        subscriber.sync()
        assert subscriber.stored("mine") == before, "nothing is copied again"

        moved = COURT.replace("2030-05-07", "2030-05-09") + "formerly: [court]\n"
        site.events.joinpath("court.yaml").unlink()
        site.write("tribunal.yaml", moved)
        site.do("publish")
        until(lambda: b"20300509" in site.get(f"/{CHOICE}")[0], "the move is in the feed")
        subscriber.sync()
        days = {("2030-05-06", "Hearing"), ("2030-05-09", "Filing")}
        assert subscriber.days("mine", "2030-05-01", "2030-05-31") == days
        with pytest.raises(HTTPError, match="400"):
            site.get("/choice.ics?calendar=curt")
