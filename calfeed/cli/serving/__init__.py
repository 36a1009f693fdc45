"""Commands that run: `serve`, `web`, `worker`."""
