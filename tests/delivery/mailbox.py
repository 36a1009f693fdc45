"""A real mail server on loopback, and the mails that it received."""

from __future__ import annotations

import socket
from collections.abc import Coroutine
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller


class Mailbox:
    """Start a mail server; `with` it. `mails` is everything that came in, in order.

    It refuses everything while `full`.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.full = False
        self._controller = _OnFreePort(self, hostname="127.0.0.1")

    @property
    def url(self) -> str:
        """The URL that Apprise sends mail here by."""
        address = "from=calfeed@example.org&to=desk@example.org"
        return f"mailto://127.0.0.1:{self._controller.port}/?{address}"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        """Take a mail."""
        if self.full:
            return "452 mailbox full"
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


class _OnFreePort(Controller):
    """A controller on a port that is free, which it learns before it starts."""

    def __init__(self, handler: Any, **options: Any) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        super().__init__(handler, port=self._socket.getsockname()[1], **options)

    def _create_server(self) -> Coroutine[Any, Any, Any]:
        made: Coroutine[Any, Any, Any] = self.loop.create_server(
            self._factory_invoker, sock=self._socket
        )
        return made


def read_text(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())
