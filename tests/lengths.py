"""How long the long tests are: short by default, whole with DEUTERIUM_FULL=1."""

from __future__ import annotations

import os

FULL = os.environ.get("DEUTERIUM_FULL", "") == "1"


def length(short: int, whole: int) -> int:
    """How often a test does what it does."""
    return whole if FULL else short
