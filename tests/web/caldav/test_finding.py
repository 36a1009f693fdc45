"""Clients find the calendars by the site's address alone, and see those that they may read."""

from __future__ import annotations

import pytest

from tests.web.caldav.door import CS, OPEN, C, D, Door

READ = {"read", "read-current-user-privilege-set"}


def test_the_sites_address_says_where_the_door_is(shown: Door) -> None:
    names = "<D:prop><D:current-user-principal/><C:calendar-home-set/></D:prop>"
    found = shown.find("/", names).properties["/"]
    assert found[f"{D}current-user-principal"].findtext(f"{D}href") == "/dav/principal/"
    assert found[f"{C}calendar-home-set"].findtext(f"{D}href") == "/dav/calendars/"
    assert shown.ask("PROPFIND", "/", "<!DOCTYPE x><x/>").status_code == 400


def test_the_well_known_address_leads_there_whatever_is_asked(shown: Door) -> None:
    for method in ("GET", "PROPFIND", "OPTIONS"):
        assert shown.ask(method, "/.well-known/caldav").headers["Location"] == "/dav/"


@pytest.mark.parametrize("path", ["/dav/", "/dav/principal/", "/dav/calendars/", OPEN])
def test_every_step_names_a_principal_and_there_is_one_home(shown: Door, path: str) -> None:
    found = shown.find(path, "<D:prop><D:current-user-principal/></D:prop>")
    ((href, values),) = found.properties.items()
    assert values[f"{D}current-user-principal"].findtext(f"{D}href") == "/dav/principal/"
    assert href == path


def test_a_missing_slash_is_added(shown: Door) -> None:
    response = shown.ask("PROPFIND", "/dav", headers={"Depth": "0"})
    assert (response.status_code, response.headers["Location"]) == (308, "/dav/")
    assert set(shown.find(OPEN.rstrip("/")).properties) == {OPEN}


def test_the_principal_has_one_home_with_the_public_calendars(shown: Door) -> None:
    found = shown.find(
        "/dav/principal/", "<D:prop><C:calendar-home-set/><D:resourcetype/></D:prop>"
    )
    values = found.properties["/dav/principal/"]
    assert [each.text for each in values[f"{C}calendar-home-set"]] == ["/dav/calendars/"]
    assert values[f"{D}resourcetype"].find(f"{D}principal") is not None
    listed = shown.find("/dav/calendars/", "<D:prop><D:resourcetype/></D:prop>", depth="1")
    assert set(listed.properties) == {"/dav/calendars/", OPEN}
    assert listed.properties[OPEN][f"{D}resourcetype"].find(f"{C}calendar") is not None


@pytest.mark.parametrize("path", ["/dav/", "/dav/principal/", "/dav/calendars/", OPEN])
def test_options_say_what_is_supported_and_that_nothing_can_be_written(
    shown: Door, path: str
) -> None:
    response = shown.ask("OPTIONS", path)
    assert response.status_code == 200
    assert response.headers["DAV"] == "1, 3, calendar-access"
    assert response.headers["Allow"] == "OPTIONS, GET, HEAD, PROPFIND, REPORT"


def test_a_calendar_has_the_properties_that_clients_ask_for(shown: Door) -> None:
    asked = (
        "<D:displayname/><C:calendar-description/><A:calendar-color/><CS:getctag/><D:sync-token/>"
        "<C:supported-calendar-component-set/><D:supported-report-set/><C:calendar-timezone/>"
        "<D:current-user-privilege-set/><D:owner/><C:calendar-timezone-id/><CS:unknown/>"
    )
    found = shown.find(OPEN, f"<D:prop>{asked}</D:prop>")
    assert found.missing == {OPEN: {f"{CS}unknown"}}
    assert found.text(OPEN, f"{D}displayname") == "Open & <free>"
    assert found.text(OPEN, f"{C}calendar-description") == "What is open"
    assert found.text(OPEN, "{http://apple.com/ns/ical/}calendar-color") == "#008080"
    assert found.text(OPEN, f"{CS}getctag") == found.text(OPEN, f"{D}sync-token") != ""
    assert "TZID:Europe/Berlin" in found.text(OPEN, f"{C}calendar-timezone")
    values = found.properties[OPEN]
    components = values[f"{C}supported-calendar-component-set"]
    assert [each.attrib for each in components] == [{"name": "VEVENT"}]
    privileges = values[f"{D}current-user-privilege-set"]
    assert {each[0].tag.removeprefix(D) for each in privileges} == READ
    reports = values[f"{D}supported-report-set"].iterfind(f".//{D}report")
    names = {each[0].tag for each in reports}
    assert names == {f"{C}calendar-query", f"{C}calendar-multiget", f"{D}sync-collection"}


def test_events_are_listed_with_depth_one_and_read_as_files(shown: Door) -> None:
    found = shown.find(OPEN, depth="1")
    assert found.names() == {
        "",
        "fair@example.org.ics",
        "call@example.org.ics",
        "weekly@example.org.ics",
    }
    href = f"{OPEN}fair@example.org.ics"
    response = shown.ask("GET", href)
    assert response.headers["ETag"] == found.text(href, f"{D}getetag")
    assert response.headers["Content-Type"] == found.text(href, f"{D}getcontenttype")
    assert response.headers["Last-Modified"] == found.text(href, f"{D}getlastmodified")
    assert str(len(response.data)) == found.text(href, f"{D}getcontentlength")
    assert response.data.count(b"BEGIN:VEVENT") == 1
    assert response.data.startswith(b"BEGIN:VCALENDAR\r\n")
    unchanged = shown.ask("GET", href, headers={"If-None-Match": response.headers["ETag"]})
    assert (unchanged.status_code, unchanged.data) == (304, b"")


def test_an_event_brings_the_zone_that_it_uses_and_no_other(shown: Door) -> None:
    assert b"TZID:Europe/Berlin" in shown.ask("GET", f"{OPEN}call@example.org.ics").data
    assert b"VTIMEZONE" not in shown.ask("GET", f"{OPEN}fair@example.org.ics").data


def test_a_calendars_own_address_is_its_feed(shown: Door) -> None:
    assert shown.ask("GET", OPEN).data == shown.site.get("/calendars/open.ics").data


@pytest.mark.parametrize("path", ["/dav/", "/dav/calendars/"])
def test_people_who_open_the_door_come_to_the_pages(shown: Door, path: str) -> None:
    response = shown.ask("GET", path)
    assert (response.status_code, response.headers["Location"]) == (302, "/")


@pytest.mark.parametrize("depth", ["infinity", "2", ""])
def test_a_listing_of_everything_at_once_is_refused(shown: Door, depth: str) -> None:
    response = shown.ask("PROPFIND", OPEN, headers={"Depth": depth} if depth else {})
    assert response.status_code == 403
    assert "<D:propfind-finite-depth/>" in response.text


def test_names_alone_have_no_values(shown: Door) -> None:
    found = shown.find(OPEN, "<D:propname/>")
    assert found.properties[OPEN].keys() >= {f"{CS}getctag", f"{D}displayname"}
    assert not any(value.text or len(value) for value in found.properties[OPEN].values())


def test_what_is_not_there_is_not_found(shown: Door) -> None:
    paths = ("/dav/x", "/dav/calendars/none/", f"{OPEN}none.ics", f"{OPEN}fair@example.org.ics/x")
    for path in (*paths, "/dav/calendars/board/"):
        for method in ("PROPFIND", "GET", "REPORT"):
            assert shown.ask(method, path, headers={"Depth": "0"}).status_code == 404, path


def test_a_renamed_calendar_is_found_under_its_new_name(door: Door) -> None:
    text = (
        "name: Wide\ntime_zone: UTC\nformerly: [open]\nevents: {f: {summary: F, start: 2027-02-01}}"
    )
    door.site.publish({"wide": text})
    response = door.ask("PROPFIND", OPEN, headers={"Depth": "1"})
    assert (response.status_code, response.headers["Location"]) == (308, "/dav/calendars/wide/")


def test_an_event_with_an_unusual_uid_has_an_address_all_the_same(door: Door) -> None:
    text = 'name: U\ntime_zone: UTC\nevents: {x: {summary: X, start: 2027-02-01, uid: "a/b ü?&"}}'
    door.site.publish({"u": text})
    (href,) = door.sync(path="/dav/calendars/u/").properties
    assert b"UID:a/b" in door.ask("GET", href).data
