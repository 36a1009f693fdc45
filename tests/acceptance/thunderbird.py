"""Thunderbird of one person, without a window, driven by Marionette."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.acceptance.site import until
from tests.patience import PATIENCE
from tests.ports import free_port

_PROGRAM = Path("/usr/bin/thunderbird")

_SETTINGS = {
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.spotlight.firstRunDone": True,
    "mailnews.start_page.enabled": False,
    "app.donation.eoy.version.viewed": 999,
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
}

_FRAME = """
const done = arguments[arguments.length - 1];
const {cal} = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
const ours = () => cal.manager.getCalendars().filter(c => c.type == "caldav");
(async () => { %s })().then(value => done(JSON.stringify(value)), error => done("!" + error));
"""

_LOGIN = """
const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
login.init(%s, null, %s, %s, %s, "", "");
await Services.logins.addLoginAsync(login);
"""

_ADD = """
const found = await cal.provider.byType("caldav").detectCalendars(%s, %s, %s, false);
for (const one of found) cal.manager.registerCalendar(one);
return found.map(one => one.name);
"""

_LIST = """
const listed = {};
for (const one of ours()) {
  const items = await one.getItemsAsArray(Ci.calICalendar.ITEM_FILTER_ALL_ITEMS, 0, null, null);
  listed[one.name] = Object.fromEntries(
    items.map(item => [item.id, `${item.startDate.icalString} ${item.status}`]));
}
return listed;
"""

_WRITE = """
const [one] = ours().filter(c => c.name == %s);
const {CalEvent} = ChromeUtils.importESModule("resource:///modules/CalEvent.sys.mjs");
try {
  one.readOnly = false;
  await one.addItem(new CalEvent("BEGIN:VEVENT\\nUID:n@x\\nDTSTART:20270101\\nEND:VEVENT"));
} catch (error) { return "refused"; }
return "written";
"""


_MAILBOX = """
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const identity = MailServices.accounts.createIdentity();
identity.email = %s;
const account = MailServices.accounts.createAccount();
account.incomingServer = MailServices.accounts.createIncomingServer("reader", "127.0.0.1", "imap");
account.addIdentity(identity);
const store = cal.manager.createCalendar(
  "storage", Services.io.newURI("moz-storage-calendar://"));
store.name = "Mine";
cal.manager.registerCalendar(store);
const mine = cal.manager.getCalendarById(store.id);
mine.setProperty("disabled", false);
mine.setProperty("imip.identity.key", identity.key);
"""

_TAKE = """
const [text, sender, reader, answer] = %s;
const mine = cal.manager.getCalendars().find(one => one.name == "Mine");
const item = Cc["@mozilla.org/calendar/itip-item;1"].createInstance(Ci.calIItipItem);
item.init(text);
cal.itip.initItemFromMsgData(item, item.receivedMethod, {
  mime2DecodedAuthor: sender, author: sender, recipients: reader, ccList: "", folder: null,
  getStringProperty: () => "",
});
item.identity = reader;
const [status, act, found] = await new Promise(resolve =>
  cal.itip.processItipItem(item, (_, ...rest) => resolve(rest)));
const offered = cal.itip.getOptionsText(item, status, act, found).showItems;
if (act) {
  item.targetCalendar = mine;
  item.autoResponse = Ci.calIItipItem.NONE;
  await new Promise(resolve => act({
    QueryInterface: ChromeUtils.generateQI(["calIOperationListener"]),
    onOperationComplete: resolve, onGetResult() {},
  }, answer, { responseMode: Ci.calIItipItem.NONE }));
}
const flags = Ci.calICalendar.ITEM_FILTER_ALL_ITEMS;
const [from, to] = ["20200101T000000Z", "20400101T000000Z"].map(cal.createDateTime);
const kept = await mine.getItemsAsArray(
  flags | Ci.calICalendar.ITEM_FILTER_CLASS_OCCURRENCES, 0, from, to);
return [
  act ? act.method : null,
  offered.filter(name => name.endsWith("Button")),
  kept.map(one => one.startDate.icalString).sort(),
];
"""


class Reaction(NamedTuple):
    """What Thunderbird made of a calendar part: what it did, the buttons that it showed, and the
    start of each occurrence that it has from mails then.
    """

    method: str | None
    buttons: list[str]
    starts: list[str]


class Marionette:
    """A connection to Marionette, which takes commands as JSON, each after its length."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._stream = self._socket.makefile("rb")
        self._number = 0
        self._read()  # it says hello
        self.do("WebDriver:NewSession")
        self.do("WebDriver:SetTimeouts", script=int(PATIENCE * 1000))
        self.do("Marionette:SetContext", value="chrome")

    def do(self, command: str, **arguments: Any) -> Any:
        self._number += 1
        message = json.dumps([0, self._number, command, arguments])
        self._socket.sendall(f"{len(message)}:{message}".encode())
        _, _, error, result = self._read()
        assert error is None, error
        return result

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    def _read(self) -> Any:
        length = b""
        while (digit := self._stream.read(1)) != b":":
            if not digit:
                raise ConnectionError("Thunderbird has ended")
            length += digit
        return json.loads(self._stream.read(int(length)))


class Thunderbird:
    """What a person does with its calendar."""

    def __init__(self, marionette: Marionette) -> None:
        self._marionette = marionette

    def add(self, address: str, user: str = "", password: str = "", realm: str = "") -> list[str]:
        """Add all calendars at an address, and return their names."""
        if user:
            origin = "/".join(address.split("/")[:3])
            self._run(_LOGIN % tuple(map(json.dumps, (origin, realm, user, password))))
        names: list[str] = self._run(_ADD % tuple(map(json.dumps, (user, password, address))))
        return names

    def events(self) -> dict[str, dict[str, str]]:
        """The start and status of each event that it has, by calendar and UID."""
        listed: dict[str, dict[str, str]] = self._run(_LIST)
        return listed

    def refresh(self) -> None:
        self._run("for (const one of ours()) one.refresh();")

    def read_only(self) -> set[bool]:
        return set(self._run("return ours().map(one => one.readOnly);"))

    def try_to_write(self, calendar: str) -> str:
        return str(self._run(_WRITE % json.dumps(calendar)))

    def add_mailbox(self, address: str) -> None:
        """Make a mail account, and a calendar of its own for what comes by mail."""
        self._run(_MAILBOX % json.dumps(address))

    def take(self, part: bytes, sender: str, reader: str, answer: str = "ACCEPTED") -> Reaction:
        """Take a mail's calendar part, as a press on the button does.

        `answer` is the participation status that an invitation is answered with.
        """
        given = [part.decode(), sender, reader, answer]
        return Reaction(*self._run(_TAKE % json.dumps(given)))

    def _run(self, script: str) -> Any:
        said = self._marionette.do(
            "WebDriver:ExecuteAsyncScript", script=_FRAME % script, args=[], sandbox="system"
        )["value"]
        assert not (said or "").startswith("!"), said
        return json.loads(said) if said else None


@contextmanager
def thunderbird(folder: Path) -> Iterator[Thunderbird]:
    """Thunderbird with a new profile; skipped where there is none."""
    if not _PROGRAM.exists() and not os.environ.get("CI"):
        pytest.skip("needs Thunderbird")
    port = free_port()
    folder.mkdir()
    settings = {**_SETTINGS, "marionette.port": port}
    lines = [
        f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in settings.items()
    ]
    (folder / "user.js").write_text("\n".join(lines) + "\n", "utf-8")
    command = [str(_PROGRAM), "--headless", "--marionette", "--remote-allow-system-access"]
    process = subprocess.Popen(
        [*command, "--no-remote", "--profile", str(folder)],
        env={"HOME": str(folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        with closing(
            until(lambda: _connect(port), "Thunderbird") or Marionette(port)
        ) as marionette:
            yield Thunderbird(marionette)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _connect(port: int) -> Marionette | None:
    try:
        return Marionette(port)
    except OSError:
        return None
