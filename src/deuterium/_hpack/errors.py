"""The one error of HPACK: the connection cannot go on (RFC 7541 section 2.3.3, RFC 9113 section 4.3)."""

from __future__ import annotations

from typing import Final

from deuterium.errors import RemoteProtocolError

COMPRESSION_ERROR: Final = 0x9


class HpackError(RemoteProtocolError):
    """A field block that cannot be decoded; both sides' tables differ from here on."""

    def __init__(self, message: str) -> None:
        super().__init__(message, scope="connection", code=COMPRESSION_ERROR)
