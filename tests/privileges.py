"""What a user may do that is not root, tried by root."""

from __future__ import annotations

import os

# Root may read and write what it has no right to, unless it is deprived of that.
WITHOUT_PRIVILEGES = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
)
