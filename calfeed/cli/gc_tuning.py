"""Garbage collection in processes that run for long or allocate much."""

from __future__ import annotations

import gc


def freeze_startup_objects() -> None:
    """Exclude objects made so far, which live as long as the process, from garbage collection."""
    gc.collect()
    gc.freeze()
