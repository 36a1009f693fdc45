"""Connections to the operator's SMTP server."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress

from calfeed.delivery.mail.replies import Stage, explain_error, explain_reply
from calfeed.delivery.mail.server_urls import MailServer

_TIMEOUT_SECONDS = 30.0
_MAX_MAILS = 100
"""The maximum number of mails through one connection; many servers close it after this many."""


class Connection:
    """A connection to the server for many mails, one after the other. Not thread-safe.

    It opens at the first use, and again after an error.
    """

    def __init__(self, server: MailServer, timeout: float = _TIMEOUT_SECONDS) -> None:
        """`timeout` is for each exchange with the server, in seconds."""
        self._server = server
        self._timeout = timeout
        self._smtp: smtplib.SMTP | None = None
        self._sent = 0

    @property
    def is_open(self) -> bool:
        return self._smtp is not None

    def open(self) -> None:
        """Connect and log in. Raises MailError."""
        try:
            self._open()
        except Exception as error:
            raise explain_error(error, Stage.OPEN) from None

    def send(self, sender: str, recipient: str, content: bytes) -> tuple[int, str]:
        """Send a mail; return the server's code and reply.

        Raises MailError. If the server closed a connection that was idle, the mail is sent again
        through a new one.
        """
        if self._sent >= _MAX_MAILS:
            self.close()
        reused = self.is_open
        stage = [Stage.OPEN]
        try:
            return self._send(sender, recipient, content, stage)
        except Exception as error:
            failure = explain_error(error, stage[0], sender, recipient)
            if failure.lost or failure.status is None:
                self.close()
            else:
                self._reset()
            if not (reused and failure.lost and stage[0] <= Stage.SENDER):
                raise failure from None
        return self.send(sender, recipient, content)

    def close(self) -> None:
        """Close the connection, with QUIT if it still works. Idempotent."""
        smtp, self._smtp, self._sent = self._smtp, None, 0
        if smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()

    def _send(
        self, sender: str, recipient: str, content: bytes, stage: list[int]
    ) -> tuple[int, str]:
        smtp = self._open()
        self._sent += 1
        stage[0] = Stage.SENDER
        options = []
        if smtp.has_extn("size"):
            options.append(f"size={len(content)}")
        if not recipient.isascii():
            if not smtp.has_extn("smtputf8"):
                raise smtplib.SMTPNotSupportedError
            options.append("SMTPUTF8")
            smtp.command_encoding = "utf-8"
        code, reply = smtp.mail(sender, options)
        if code != 250:
            raise explain_reply(code, reply, Stage.SENDER, sender, recipient)
        stage[0] = Stage.RECIPIENT
        code, reply = smtp.rcpt(recipient)
        if code not in (250, 251):
            raise explain_reply(code, reply, Stage.RECIPIENT, sender, recipient)
        stage[0] = Stage.CONTENT
        code, reply = smtp.data(content)
        if code != 250:
            raise explain_reply(code, reply, Stage.CONTENT, sender, recipient)
        return code, reply.decode("utf-8", "replace")

    def _reset(self) -> None:
        """Make the connection ready for the next mail."""
        if self._smtp is not None:
            try:
                self._smtp.rset()
            except (smtplib.SMTPException, OSError):
                self.close()

    def _open(self) -> smtplib.SMTP:
        if self._smtp is not None:
            return self._smtp
        server, context = self._server, ssl.create_default_context()
        if server.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=self._timeout, context=context
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=self._timeout)
        try:
            if server.scheme == "smtp" and server.tls:
                smtp.starttls(context=context)
            if server.user is not None and server.password is not None:
                smtp.login(server.user, server.password)
            smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        self._smtp = smtp
        return smtp
