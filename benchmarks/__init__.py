"""Measurements of calfeed beside what else there is: `python -m benchmarks` prints the table."""
