"""How often this process is the child of a fork: what was opened before the last one is its parent's."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Owner(Protocol):
    """Whoever holds connections of this process."""

    def after_fork(self) -> None:
        """In the child: what there is belongs to the parent."""


_count = 0
_owners: WeakSet[Owner] = WeakSet()  # a fact of the process, as the count is


def count() -> int:
    """A number that changes in a child process."""
    return _count


def watch(owner: Owner) -> None:
    """Have ``owner.after_fork`` called in every child process from now on."""
    _owners.add(owner)


def _forked() -> None:
    global _count  # noqa: PLW0603  # a fact of the process, not a state of the library
    _count += 1
    for owner in list(_owners):
        owner.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
