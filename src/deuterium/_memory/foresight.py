"""Having memory on its way to the processor's caches before it is looked at.

With ten thousand requests under way what belongs to one of them has left the caches by the time its turn comes, and
waiting for memory is a quarter of what a request costs. Where several turns are known ahead, the waits overlap.
Addresses are kept for that, not references: to count a reference is to use the object.
"""

from __future__ import annotations

from typing import Any

COMPILED = not __file__.endswith((".py", ".pyc"))


def foresee(address: int, octets: int) -> None:
    """The object at ``address`` will be used soon, if it is still there; nothing is read, and 0 is nobody's address."""
    if COMPILED:
        prefetch(address, octets)  # type: ignore[name-defined]  # noqa: F821


def address_of(thing: Any) -> int:
    """Where the memory of ``thing`` begins; 0 for None, and interpreted."""
    return address_in_c(thing) if COMPILED else 0  # type: ignore[name-defined]  # noqa: F821


def owner_address(called: Any) -> int:
    """The same of what ``called`` is a method of, where that is a class in C; otherwise 0."""
    return owner_address_in_c(called) if COMPILED else 0  # type: ignore[name-defined]  # noqa: F821
