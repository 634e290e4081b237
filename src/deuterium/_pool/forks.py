"""How often this process is the child of a fork: what was opened before the last one is its parent's."""

from __future__ import annotations

import os

_count = 0


def count() -> int:
    """A number that changes in a child process."""
    return _count


def _forked() -> None:
    global _count  # noqa: PLW0603  # a fact of the process, not a state of the library
    _count += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
