"""How often garbage is collected in processes that hold many values at a time."""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """Collect garbage now, and then less often.

    What was made so far lives as long as the process. Collecting garbage need not look at it again
    and again, nor at the values that a publish or a worker makes by the ten thousand.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
