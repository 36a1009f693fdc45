"""How long tests wait for what has to come, which is no matter of how fast a machine is."""

PATIENCE = 300.0
"""Seconds. They pass only where it does not come; a test that passes never waits for them."""
