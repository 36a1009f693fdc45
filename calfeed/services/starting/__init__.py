"""Start: the folder that `calfeed init` makes."""
