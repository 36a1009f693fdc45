"""What somebody at the command line can do about an error: the command that helps."""

from __future__ import annotations

from calfeed.errors import CalfeedError, NotFoundError, PublishRefusedError, SealError

_LISTED = ("delivery", "endpoint", "token")
"""The kinds of things that have a `list` command."""


def advise(error: CalfeedError) -> str:
    """What happened, and the command that helps where there is one."""
    match error:
        case NotFoundError(kind=kind) if kind in _LISTED:
            return f"{error}; `calfeed {kind} list` shows those there are"
        case SealError(endpoint=str(endpoint)):
            update = f"calfeed endpoint update {endpoint} --url URL"
            return f"{error}; `{update}` gives the endpoint others"
        case PublishRefusedError():
            return error.with_command("calfeed publish")
    return str(error)
