"""A real SMTP server on loopback that treats mails as the local part of their address says.

`gone…` has no mailbox, `blocked…` is refused by policy, `grey…` is turned away the first time,
`drop…` loses the connection the first time after the mail was sent, before it is answered.
Everybody else's mails are taken.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


@dataclass(frozen=True)
class Received:
    """A mail as it came in."""

    sender: str
    recipient: str
    content: bytes
    session: int

    @property
    def mail(self) -> EmailMessage:
        mail = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        return mail

    @property
    def message_id(self) -> str:
        return str(self.mail["Message-ID"])


class PostOffice:
    """Start the server; `with` it. `received` is every mail that was taken or lost with its
    connection.

    While `refuses_senders` every sender is refused, while `closed` every connection.
    """

    def __init__(self, **options: Any) -> None:
        self.received: list[Received] = []
        self.refuses_senders = False
        self.sessions: set[int] = set()
        self._turned_away: set[str] = set()
        self._lock = threading.Lock()
        self._options = options
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}/?tls=none"

    def to(self, address: str) -> list[Received]:
        """The mails that came for an address."""
        return [one for one in self.received if one.recipient == address]

    def open(self) -> None:
        """Accept connections, on the same port as before."""
        self._controller = _OnSocket(self, self._socket, port=self.port, **self._options)
        self._controller.start()

    def close(self) -> None:
        """Refuse connections."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None
            self._socket = _reserve(self.port)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        if self._controller is not None:
            self._controller.stop()
        self._socket.close()

    def _is_first(self, address: str) -> bool:
        with self._lock:
            first = address not in self._turned_away
            self._turned_away.add(address)
            return first

    # What aiosmtpd calls.

    async def handle_MAIL(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if self.refuses_senders:
            return f"553 5.7.1 <{address}>: sender address rejected: not owned by user"
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - as above
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        local = address.partition("@")[0]
        if local.startswith("gone"):
            return f"550 5.1.1 <{address}>: {local} is not a user here"
        if local.startswith("blocked"):
            return f"554 5.7.1 <{address}>: access denied"
        if local.startswith("grey") and self._is_first(address):
            return f"451 4.7.1 <{address}>: greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - as above
        (recipient,) = envelope.rcpt_tos
        one = Received(envelope.mail_from, recipient, envelope.content, id(session))
        self.received.append(one)
        self.sessions.add(id(session))
        if recipient.startswith("drop") and self._is_first(recipient):
            transport: Any = server.transport
            transport.abort()
        return "250 2.0.0 taken"


class _OnSocket(Controller):
    """A controller on a socket that is bound already."""

    def __init__(self, handler: Any, bound: socket.socket, **options: Any) -> None:
        self._socket = bound
        super().__init__(handler, hostname="127.0.0.1", **options)

    def _create_server(self) -> Coroutine[Any, Any, Any]:
        made: Coroutine[Any, Any, Any] = self.loop.create_server(
            self._factory_invoker, sock=self._socket, ssl=self.ssl_context
        )
        return made


def _reserve(port: int) -> socket.socket:
    """Bind a port without listening, so that connections to it are refused."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", port))
    return reserved
