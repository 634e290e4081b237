"""The length a request announced, held against what its iterator gives (RFC 9110 section 8.6)."""

from __future__ import annotations

from ..errors import LocalProtocolError
from . import field as fields


class Announced:
    """Counts streamed content. ``length``: the content-length among the fields, or -1.

    >>> Announced((("content-length", "3"),)).length
    3
    """

    __slots__ = ("left", "length")

    def __init__(self, section: tuple[tuple[str, str], ...]) -> None:
        self.length = -1
        for name, value in section:
            if name == "content-length":
                self.length = fields.decimal(value)
        self.left = self.length

    def take(self, size: int) -> None:
        """``size`` more octets are about to be sent. Raises LocalProtocolError when there are more than announced."""
        if self.length >= 0:
            self.left -= size
            if self.left < 0:
                raise LocalProtocolError("RFC 9110 8.6: more content than the content-length announces")

    def finish(self) -> None:
        """The content is over. Raises LocalProtocolError when there is less than announced."""
        if self.left > 0:
            raise LocalProtocolError("RFC 9110 8.6: less content than the content-length announces")
