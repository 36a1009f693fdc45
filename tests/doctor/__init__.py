"""The doctor: what each check makes of what it finds, and how all of them run."""
