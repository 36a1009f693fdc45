"""A real IMAP server: Debian's Dovecot, as an ordinary process in a folder of its own."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.site import until
from tests.ports import free_port

_CONFIGURATION = """\
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
ssl = no
disable_plaintext_auth = no
{users}
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 0
first_valid_gid = 0
mail_location = maildir:{folder}/mail
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
}}
service anvil {{
  chroot =
}}
service auth {{
  user = {user}
}}
service stats {{
  chroot =
}}
"""


def find_dovecot() -> str | None:
    """The program, None if it is not installed."""
    return shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def is_open(port: int) -> bool:
    """Whether something accepts connections at a port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class MailFolder:
    """The mailbox INBOX of the user `bounces`, and its URL."""

    def __init__(self, folder: Path, port: int) -> None:
        self._mail = folder / "mail"
        self.url = f"imap://bounces:secret@127.0.0.1:{port}/?tls=none"
        for name in ("cur", "new", "tmp"):
            (self._mail / name).mkdir(parents=True)

    def put(self, name: str, content: bytes) -> None:
        """Let a mail arrive."""
        (self._mail / "new" / name).write_bytes(content)

    def mark_deleted(self, name: str) -> None:
        """Mark a mail as deleted, as a mail program does before it expunges."""
        (self._mail / "new" / name).rename(self._mail / "cur" / f"{name}:2,T")

    def left(self) -> set[str]:
        """The names of the mails that are there."""
        files = [*(self._mail / "new").iterdir(), *(self._mail / "cur").iterdir()]
        return {file.name.partition(":")[0] for file in files}


@contextmanager
def run_dovecot(program: str, folder: Path) -> Iterator[MailFolder]:
    """Run the server with an empty mailbox."""
    port = free_port()
    mails = MailFolder(folder, port)
    configuration = folder / "dovecot.conf"
    user = pwd.getpwuid(os.getuid()).pw_name
    group = grp.getgrgid(os.getgid()).gr_name
    own = f"default_internal_user={user}\ndefault_internal_group={group}\ndefault_login_user={user}"
    if os.getuid() == 0:
        # Root may not read mails; Dovecot has users of its own.
        user, group, own = "dovecot", "dovecot", ""
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)
            shutil.chown(path, user, group)
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            port=port,
            user=user,
            group=group,
            users=own,
        )
    )
    process = subprocess.Popen([program, "-F", "-c", str(configuration)])
    try:
        until(lambda: is_open(port) or process.poll() is not None, "Dovecot accepts connections")
        yield mails
    finally:
        process.terminate()
        process.wait()
