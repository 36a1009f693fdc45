"""calfeed as it is installed: the wheel, an environment of its own, a user without rights."""
