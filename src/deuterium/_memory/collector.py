"""Which objects the cyclic garbage collector looks at.

It walks all it tracks that is young: with ten thousand requests in flight that was a third of what a request cost.
An object that is in no cycle, or in one that is always broken by hand, need not be tracked. What an untracked object
holds stays alive as long as it does.
"""

from __future__ import annotations

COMPILED = not __file__.endswith((".py", ".pyc"))


def untrack(thing: object) -> None:
    """Have the collector pass over ``thing``, of a compiled class; interpreted, nothing."""
    if COMPILED:
        gc_untrack(thing)  # type: ignore[name-defined]  # noqa: F821


def track(thing: object) -> None:
    """Undo ``untrack``."""
    if COMPILED:
        gc_track(thing)  # type: ignore[name-defined]  # noqa: F821
