"""Compare revisions: what changed, how, and why."""
