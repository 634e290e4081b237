"""Content that tells whose it is: any octet of another response, or one missing, changes the hash."""

from __future__ import annotations

import hashlib
from collections import Counter


def content_of(name: str, size: int) -> bytes:
    """``size`` octets that only ``name`` has."""
    return hashlib.shake_128(name.encode()).digest(size)


class Ledger:
    """What the peers did: how often each request was carried out, and everything in order."""

    def __init__(self) -> None:
        self.processed: Counter[str] = Counter()
        self.wrong_content: list[str] = []
        self.log: list[str] = []

    def carry_out(self, name: str, content: bytes, size: int) -> None:
        """A request is complete at the peer, and is acted on. Its content must be its own."""
        self.processed[name] += 1
        self.log.append(f"processed {name}")
        if content != content_of(name + "/up", size):
            self.wrong_content.append(f"{name}: {len(content)} of {size} octets")


def target(name: str, size: int, upload: int) -> str:
    """The path of a request: what it is called, how much it wants, how much it brings."""
    return f"/r/{name}/{size}/{upload}"


def asked(path: str) -> tuple[str, int, int]:
    """The three out of a path."""
    _, _, name, size, upload = path.split("/")
    return name, int(size), int(upload)
