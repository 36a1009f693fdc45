"""Error texts for the command line, with the command to run next."""

from __future__ import annotations

from calfeed.errors import CalfeedError, NotFoundError, PublishRefusedError, SealError

_COMMANDS_WITH_LIST = ("delivery", "endpoint", "token")


def advise(error: CalfeedError) -> str:
    """Return an error's text, with the command to run next if there is one."""
    match error:
        case NotFoundError(kind=kind) if kind in _COMMANDS_WITH_LIST:
            return f"{error}; `calfeed {kind} list` shows the existing ones"
        case SealError(endpoint=str(endpoint)):
            update = f"calfeed endpoint update {endpoint} --url URL"
            return f"{error}; `{update}` gives the endpoint a new URL and secret"
        case PublishRefusedError():
            return error.with_command("calfeed publish")
    return str(error)
