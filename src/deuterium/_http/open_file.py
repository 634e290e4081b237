"""An open file as content: read in blocks, from where it stood when the request was made."""

from __future__ import annotations

from collections.abc import Iterator
from io import SEEK_END, TextIOBase
from typing import IO, Any, Final

from ..errors import LocalProtocolError, StreamConsumed

BLOCK: Final = 64 * 1024  # octets, or characters of a text file, read at once


class OpenFile:
    """The rest of ``file``, as an iterable of octets; text is encoded as UTF-8.

    ``content_length`` is None when it cannot be known: of text, and of what cannot seek. A file that grew since is cut
    to it. ``replayable``: it can be iterated again, which takes the file back to where it stood.

    >>> from io import BytesIO
    >>> file = OpenFile(BytesIO(b"heavy water"))
    >>> file.content_length, b"".join(file) == b"".join(file)
    (11, True)
    """

    __slots__ = ("_start", "_used", "content_length", "file", "replayable")

    def __init__(self, file: IO[Any]) -> None:
        self.file = file
        self._start, self.content_length = _place(file)
        self.replayable = self._start is not None
        self._used = False

    def __iter__(self) -> Iterator[bytes]:
        """Octets. Raises StreamConsumed the second time if the file cannot seek."""
        if self._used and not self.replayable:
            raise StreamConsumed("the file cannot be read again: it cannot seek")
        self._used = True
        return (piece.encode() if isinstance(piece, str) else piece for piece in self.blocks())

    def blocks(self) -> Iterator[Any]:
        """What ``read`` gives, as much of it as was announced.

        Raises LocalProtocolError when there is less, BlockingIOError when a non-blocking file has nothing yet.
        """
        file = self.file
        if self._start is not None:
            file.seek(self._start)
        left = self.content_length
        while left is None or left > 0:
            block = file.read(BLOCK if left is None else min(BLOCK, left))
            if block is None:
                raise BlockingIOError("a file opened non-blocking has nothing to read yet")
            if not block:
                if left is not None:
                    raise LocalProtocolError(f"a file is {left} octets shorter than when its request was made")
                return
            if left is not None:
                left -= len(block)
            yield block


def _place(file: IO[Any]) -> tuple[int | None, int | None]:
    """Where ``file`` stands, and how many octets it has from there; None for what it cannot say.

    Not by os.fstat: that is the size of the compressed file under a GzipFile, and does not know the place.
    """
    try:
        start = file.tell()
        # What wraps a text file is no TextIOBase, but has its encoding; its places are no numbers of octets.
        if isinstance(file, TextIOBase) or getattr(file, "encoding", None) is not None:
            file.seek(start)
            return start, None
        file.seek(0, SEEK_END)
        end = file.tell()  # an mmap's seek returns nothing
        file.seek(start)
    except (AttributeError, OSError, ValueError):  # ValueError is io.UnsupportedOperation's other base
        return None, None
    return start, max(0, end - start)
