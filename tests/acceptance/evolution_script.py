"""Evolution's data server as a CalDAV client, driven by lines of words: run by Debian's Python.

It prints the calendars that it found at an address, its argument, then the answer to each line,
all as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import gi

gi.require_version("ECal", "2.0")
gi.require_version("EDataServer", "1.2")
gi.require_version("ICalGLib", "3.0")
from gi.repository import ECal, EDataServer, GLib, ICalGLib  # noqa: E402 - after the versions are chosen

_NEW = """\
BEGIN:VEVENT\r
UID:new@example.org\r
DTSTAMP:20260101T000000Z\r
DTSTART:20270101T000000Z\r
SUMMARY:New\r
END:VEVENT\r
"""


def make_source(name: str, address: str) -> Any:
    source = EDataServer.Source.new_with_uid(name, None)
    source.set_display_name(name)
    source.set_parent("caldav-stub")
    source.get_extension("Calendar").set_backend_name("caldav")
    source.get_extension("WebDAV Backend").set_uri(GLib.Uri.parse(address, GLib.UriFlags.NONE))
    source.get_extension("Security").set_secure(False)
    source.get_extension("Offline").set_stay_synchronized(True)
    source.get_extension("Authentication").set_method("none")
    return source


def discover(address: str) -> dict[str, str]:
    found = EDataServer.webdav_discover_sources_sync(
        make_source("account", address),
        address,
        EDataServer.WebDAVDiscoverSupports.EVENTS,
        EDataServer.NamedParameters.new(),
        None,
    )
    return {each.display_name: each.href for each in found[3]}


def connect(registry: Any, name: str, address: str) -> Any:
    registry.commit_source_sync(make_source(f"calfeed-{name}", address), None)
    while (source := registry.ref_source(f"calfeed-{name}")) is None:
        time.sleep(0.02)  # the registry is another process
    return ECal.Client.connect_sync(source, ECal.ClientSourceType.EVENTS, 1, None)


def answer(client: Any, word: str) -> Any:
    if word == "refresh":
        return client.refresh_sync(None)
    if word == "readonly":
        return client.is_readonly()
    if word == "write":
        component = ICalGLib.Component.new_from_string(_NEW)
        return str(client.create_object_sync(component, ECal.OperationFlags.NONE, None))
    _, components = client.get_object_list_as_comps_sync("#t", None)
    return [component.get_as_string() for component in components]


def main(address: str) -> None:
    registry = EDataServer.SourceRegistry.new_sync(None)
    found = discover(address)
    print(json.dumps(found), flush=True)
    clients: dict[str, Any] = {}
    for line in sys.stdin:
        word, _, name = line.strip().partition(" ")
        try:
            if name not in clients:
                clients[name] = connect(registry, name, found[name])
            said = answer(clients[name], word)
        except GLib.Error as error:
            said = {"error": error.message}
        print(json.dumps(said), flush=True)


main(*sys.argv[1:])
