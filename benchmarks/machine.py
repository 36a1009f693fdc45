"""The machine and the processes on it: what there is, what runs, what it costs."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_START = 30.0

TOOLS = {
    "nginx": "nginx-light",
    "redis-server": "redis-server",
    "taskset": "util-linux",
    "wrk": "wrk",
}
"""The commands that are measured with, and the Debian package of each."""


@dataclass(frozen=True)
class Listener:
    """A server process and its port of loopback."""

    port: int
    pid: int


def missing_tools() -> list[str]:
    """Name the Debian packages of the commands that are not there."""
    return [package for tool, package in TOOLS.items() if shutil.which(tool) is None]


def describe_machine(packages: Sequence[str]) -> str:
    """Say in one line what is measured on: cores, Python, nginx, the versions of packages."""
    shown = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    nginx = shown.strip().rpartition("/")[2]
    parts = [
        f"{len(os.sched_getaffinity(0))} cores",
        f"Python {platform.python_version()}",
        f"nginx {nginx}",
        *(f"{package} {version(package)}" for package in packages),
    ]
    return ", ".join(parts)


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process for as long as the `with` block lasts; `environment` is added to this one's."""
    process = subprocess.Popen(
        command, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


@contextmanager
def nginx(
    folder: Path, locations: str, processes: int, core: int | None = None
) -> Iterator[Listener]:
    """Run nginx on a port of its own with these locations.

    Its settings are Debian's, without logs, and without the limit of requests for a connection.
    A location may have an `access_log FILE received`: a line with the id of each message and the
    time in seconds since 1970.
    """
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "nginx.conf"
    # Started by root it would go on as a user who cannot read the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    configuration.write_text(
        f"""
daemon off; worker_processes {processes}; {user}
pid {folder}/nginx.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  log_format received '$http_webhook_id $msec';
  access_log off; sendfile on; tcp_nopush on; types_hash_max_size 2048;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port} backlog=1024; root {folder}; {locations} }}
}}
""",
        "utf-8",
    )
    command = ["nginx", "-p", str(folder), "-c", str(configuration)]
    with running(on_core(core, command)) as process:
        wait_for_port(port)
        yield Listener(port, process.pid)


def on_core(core: int | None, command: Sequence[str]) -> list[str]:
    """The command that runs another on one core alone."""
    return list(command) if core is None else ["taskset", "--cpu-list", str(core), *command]


def wait_for_port(port: int) -> None:
    """Return once something listens on this port of loopback. Raises TimeoutError."""
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


def fetch(url: str, headers: Mapping[str, str] | None = None) -> tuple[bytes, Mapping[str, str]]:
    """The body and the headers of an answer."""
    asked = urllib.request.Request(url, headers=dict(headers or {}))
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return answer.read(), answer.headers


def cpu_seconds(root: int) -> float:
    """The processor time that a process and all its descendants have used so far."""
    parents: dict[int, int] = {}
    used: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # What comes after the command's name, which may hold anything.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
                used[int(entry.name)] = int(fields[11]) + int(fields[12])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")
