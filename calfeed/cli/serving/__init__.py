"""Commands that keep running: `serve`, `web`, `worker`."""
