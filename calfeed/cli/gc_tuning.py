"""What the garbage collector looks at in processes that live long or make many values."""

from __future__ import annotations

import gc


def spare_start() -> None:
    """Let the garbage collector pass over what was made so far, which lives as long as the process.

    Without this it would be looked at again and again beside the values that a publish or a worker
    makes by the ten thousand.
    """
    gc.collect()
    gc.freeze()
