"""The documents every test server serves, the same bytes in every run."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

SIZES: Final[dict[str, int]] = {
    "/empty": 0,
    "/100": 100,
    "/1k": 1024,
    "/64k": 64 * 1024,
    "/1m": 1024 * 1024,
    "/10m": 10 * 1024 * 1024,
}


def octets(size: int) -> bytes:
    """``size`` bytes that neither compress nor repeat: a swapped or doubled chunk changes the hash."""
    return hashlib.shake_256(b"deuterium").digest(size)


@cache
def body(path: str) -> bytes:
    """The content of one document of :data:`SIZES`."""
    return octets(SIZES[path])


@cache
def sha256(path: str) -> str:
    """The SHA-256 of one document, in hex."""
    return hashlib.sha256(body(path)).hexdigest()


def write_document_root(folder: Path) -> None:
    """Write every document into ``folder``, readable by a server that gave up its privileges."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    for path in SIZES:
        file = folder / path.lstrip("/")
        file.write_bytes(body(path))
        file.chmod(0o644)
