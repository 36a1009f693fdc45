"""Ports for servers that tests start."""

from __future__ import annotations

import random
import socket
from pathlib import Path

_LOWEST = 10_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port on loopback that nothing uses, and that the system gives to no connection.

    Until the server binds to it, any connection could take a port of the ephemeral range.
    """
    highest = int(_EPHEMERAL.read_text().split()[0]) if _EPHEMERAL.exists() else 32_768
    chance = random.SystemRandom()  # not the generator that is seeded alike in all processes
    while True:
        port = chance.randrange(_LOWEST, highest)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
