"""Garbage collection in processes that run for long or allocate much."""

from __future__ import annotations

import gc


def freeze_startup_objects() -> None:
    """Exclude the objects of the start, which live as long as the process, from collections."""
    gc.collect()
    gc.freeze()
