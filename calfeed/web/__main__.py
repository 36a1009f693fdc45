"""`python -m calfeed.web ADDRESS` runs the backend at this Unix socket."""

from __future__ import annotations

import sys

from calfeed.errors import CalfeedError
from calfeed.garbage import tune_collection

if __name__ == "__main__":
    tune_collection()
    # Here, because most of its start is what it imports.
    from calfeed.web.serving.backend import main

    try:
        main(sys.argv[1])
    except CalfeedError as error:
        sys.exit(f"web: {error}")
