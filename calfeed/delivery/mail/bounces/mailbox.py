"""Read the mailbox of bounces by IMAP (RFC 3501); only calfeed's own bounces are deleted."""

from __future__ import annotations

import imaplib
import logging
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from calfeed.delivery.mail.server_urls import MailServer

_log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 60.0

POLL_SECONDS = 300.0
"""How often a worker reads the mailbox."""


class Mailbox:
    """Reads a mailbox repeatedly. `take` gets each new mail, and returns whether to delete it."""

    def __init__(self, address: MailServer, take: Callable[[bytes], bool]) -> None:
        self._address = address
        self._take = take
        self._left: set[tuple[bytes, bytes]] = set()  # mails to keep, by UIDVALIDITY and UID

    def read(self) -> int:
        """Read new mails, delete those that `take` accepts, and return the number of deleted mails.

        Raises OSError or imaplib's errors if the mailbox cannot be read.
        """
        taken: list[str] = []
        with _open(self._address, _TIMEOUT_SECONDS) as server:
            validity = server.response("UIDVALIDITY")[1][0] or b""
            _, found = server.uid("SEARCH", "UNDELETED")
            for uid in (found[0] or b"").split():
                if (validity, uid) in self._left:
                    continue
                _, parts = server.uid("FETCH", uid.decode(), "(BODY.PEEK[])")
                content = next((part[1] for part in parts if isinstance(part, tuple)), None)
                if content is not None and self._take(content):
                    server.uid("STORE", uid.decode(), "+FLAGS.SILENT", r"(\Deleted)")
                    taken.append(uid.decode())
                else:
                    self._left.add((validity, uid))
            # Ask again, because servers report more capabilities after the login.
            if taken and b"UIDPLUS" in (server.capability()[1][0] or b"").upper().split():
                # Expunge only these (RFC 4315), not mails that another client has marked as
                # deleted.
                server.uid("EXPUNGE", ",".join(taken))
            elif taken:
                server.expunge()
        return len(taken)


class MailboxPoller:
    """Reads a mailbox every few minutes on a thread of its own; use it as a context manager."""

    def __init__(self, mailbox: Mailbox, address: MailServer) -> None:
        self._mailbox = mailbox
        self._address = address
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="calfeed-bounces", daemon=True)
        self._failing = False

    def __enter__(self) -> MailboxPoller:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._mailbox.read()
                self._failing = False
            except Exception as error:
                # Only the error's type: its text can quote the login or an address.
                if not self._failing:
                    _log.error(
                        "the mailbox of bounces at %s cannot be read (%s); see "
                        "CALFEED_MAIL_BOUNCES_URL; trying again",
                        self._address,
                        type(error).__name__,
                    )
                self._failing = True
            self._stopping.wait(POLL_SECONDS)


def check_mailbox(address: MailServer, timeout: float) -> None:
    """Log in to a mailbox, and change nothing. `timeout` (seconds) is for each exchange.

    Raises OSError or imaplib's errors if the mailbox cannot be read.
    """
    with _open(address, timeout, readonly=True):
        pass


@contextmanager
def _open(
    address: MailServer, timeout: float, *, readonly: bool = False
) -> Iterator[imaplib.IMAP4]:
    context = ssl.create_default_context()
    if address.scheme == "imaps":
        server: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            address.host, address.port, ssl_context=context, timeout=timeout
        )
    else:
        server = imaplib.IMAP4(address.host, address.port, timeout=timeout)
    with server:
        if address.scheme == "imap" and address.tls:
            server.starttls(context)
        server.login(address.user or "", address.password or "")
        status, _ = server.select(_quote(address.folder), readonly)
        if status != "OK":
            raise imaplib.IMAP4.error("there is no such folder")
        yield server


def _quote(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
