"""Where the content goes: a file that appears whole or not at all, or standard output."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import BinaryIO

from .failures import WRITE_FILE, Failure


class FileOutput(AbstractContextManager["FileOutput"]):
    """Writes beside the file and renames at the end, so that nobody sees half of it.

    What is there already and is no plain file, such as ``/dev/null`` or a pipe, is written to as it stands.
    """

    def __init__(self, path: str) -> None:
        self._path = os.path.realpath(path)
        self._partial = f"{self._path}.{os.getpid()}.part"
        self._in_place = os.path.exists(self._path) and not os.path.isfile(self._path)
        self._shown = path
        try:
            self._file: BinaryIO = open(self._path, "wb") if self._in_place else open(self._partial, "xb")  # noqa: SIM115
        except OSError as error:
            raise self._failure(error) from error

    def write(self, piece: bytes | memoryview) -> None:
        """Append; raises Failure when the disk does not take it."""
        try:
            self._file.write(piece)
        except OSError as error:
            raise self._failure(error) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
            if kind is None and not self._in_place:
                os.replace(self._partial, self._path)
        except OSError as failed:
            kind = type(failed)
            raise self._failure(failed) from failed
        finally:
            if kind is not None and not self._in_place:
                with suppress(OSError):
                    os.unlink(self._partial)

    def _failure(self, error: OSError) -> Failure:
        return Failure(f"cannot write {self._shown}: {error.strerror}", WRITE_FILE)


class StandardOutput(AbstractContextManager["StandardOutput"]):
    """Standard output; binary content is kept from a terminal unless it was asked for by ``-o -``."""

    def __init__(self, *, forced: bool = False) -> None:
        self._file = sys.stdout.buffer
        self._guarded = not forced and self._file.isatty()

    def write(self, piece: bytes | memoryview) -> None:
        """Write; raises Failure for content with a NUL octet, which is what curl looks for too."""
        if self._guarded and b"\0" in bytes(piece):
            raise Failure(
                "the content is binary and would disturb the terminal: use -o FILE, or -o - to see it all the same",
                WRITE_FILE,
            )
        try:
            self._file.write(piece)
        except BrokenPipeError as error:
            raise self._unread() from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            try:
                self._file.flush()
            except BrokenPipeError as failed:
                raise self._unread() from failed

    def _unread(self) -> Failure:
        """Whoever read the output has seen enough, as ``head`` does: nothing to say about it."""
        discard = os.open(os.devnull, os.O_WRONLY)
        os.dup2(discard, self._file.fileno())  # what is still buffered is flushed when the interpreter ends
        os.close(discard)
        return Failure("", WRITE_FILE)


Output = FileOutput | StandardOutput


def open_output(path: str | None) -> Output:
    """``None``: standard output; ``-``: the same, binary or not; otherwise a file."""
    if path is None or path == "-":
        return StandardOutput(forced=path == "-")
    return FileOutput(path)
