"""How long tests wait for what has to come, which is no matter of how fast a machine is."""

from __future__ import annotations

from collections.abc import Iterator

PATIENCE = 300.0
"""Seconds. They pass only where it does not come; a test that passes never waits for them."""


def longer_and_longer(seconds: float) -> Iterator[float]:
    """Times for what has to be done in some time: a busy machine may need a longer one.

    The test goes on with the first that is enough. None is, where something is wrong.
    """
    while seconds < PATIENCE:
        yield seconds
        seconds *= 4
