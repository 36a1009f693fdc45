"""Read the file of a ledger."""

from __future__ import annotations

from pathlib import Path

from calfeed.errors import InvalidInputError
from calfeed.publish import ledger


def read_ledger_file(file: Path) -> ledger.Ledger:
    """Read a ledger, which is empty if there is no file.

    Raises InvalidInputError if the file cannot be read or is not a ledger.
    """
    try:
        return ledger.read_ledger(file.read_text("utf-8"))
    except FileNotFoundError:
        return ledger.EMPTY
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"the ledger {file} cannot be read: {error}") from error
    except InvalidInputError as error:
        raise InvalidInputError(f"{file}: {error}") from error
