"""Receivers that are generated from the published schemas, in Python and TypeScript."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

PACKAGES = Path(sys.prefix, "receivers", "node_modules")
"""The packages of npm that `make parts` installs."""


def require_packages() -> None:
    """Skip the test if the packages of npm are missing; under CI, fail."""
    if not PACKAGES.exists():
        message = "the packages of npm are missing; `make parts` installs them"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
