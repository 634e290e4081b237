"""multipart/form-data content, made while it is sent (RFC 7578; names escaped as the HTML standard does)."""

from __future__ import annotations

import mimetypes
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from io import TextIOBase
from typing import IO, Any, Final

from ..errors import LocalProtocolError, StreamConsumed
from . import field
from .charset import parameter
from .forms import FormData, form_fields
from .open_file import OpenFile

CRLF: Final = b"\r\n"
UNKNOWN_TYPE: Final = "application/octet-stream"

FileContent = IO[bytes] | bytes | str
FileHeaders = Mapping[str, str] | Iterable[tuple[str, str]]
File = (
    FileContent
    | tuple[str | None, FileContent]
    | tuple[str | None, FileContent, str | None]
    | tuple[str | None, FileContent, str | None, FileHeaders]
)
Files = Mapping[str, File] | Iterable[tuple[str, File]]

# RFC 2046 section 5.1.1: 1 to 70 characters, no space at the end.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]").fullmatch
_TOKEN = re.compile(r"[0-9A-Za-z!#$%&'*+\-.^_`|~]+").fullmatch
# HTML standard, "multipart/form-data encoding algorithm": these three, and no backslash.
_ESCAPES: Final = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}


class MultipartForm:
    """A form with files, as an iterable of octets.

    ``files``: name to content, or to (filename, content, content type, headers) with the last two optional; content
    is bytes, str or a file open in binary mode, read from where it stands. ``boundary``: random unless given.

    ``content_length`` is None when a file cannot say how long it is. ``replayable``: it can be iterated again.

    >>> form = MultipartForm({"title": "D2O"}, {"sheet": ("mass.csv", b"2,20")}, boundary="x")
    >>> form.content_type, form.content_length == len(b"".join(form))
    ('multipart/form-data; boundary=x', True)
    """

    __slots__ = ("_end", "_parts", "_used", "boundary", "content_length", "content_type", "replayable")

    def __init__(self, data: FormData | None = None, files: Files | None = None, boundary: str | None = None) -> None:
        self.boundary = _checked_boundary(boundary) if boundary is not None else os.urandom(16).hex()
        quoted = self.boundary if _TOKEN(self.boundary) else f'"{self.boundary}"'
        self.content_type = f"multipart/form-data; boundary={quoted}"
        dashes = b"--" + self.boundary.encode("ascii")
        self._parts = [
            _Part(dashes + CRLF + _disposition(name) + CRLF + CRLF, value) for name, value in form_fields(data or ())
        ]
        for name, file in (files.items() if isinstance(files, Mapping) else files) if files is not None else ():
            self._parts.append(_file_part(dashes, name, file))
        self._end = dashes + b"--" + CRLF
        self._used = False
        self.replayable = all(part.replayable for part in self._parts)
        lengths = [part.length for part in self._parts]
        self.content_length = (
            None
            if None in lengths
            else sum(len(part.head) + (part.length or 0) + len(CRLF) for part in self._parts) + len(self._end)
        )

    def __iter__(self) -> Iterator[bytes]:
        """The content. Raises StreamConsumed when a file in it cannot be read twice."""
        if self._used and not self.replayable:
            raise StreamConsumed("a file in this form cannot be read again")
        self._used = True
        return self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        for part in self._parts:
            if part.file is None:
                yield part.head + part.content + CRLF
            else:
                yield part.head
                yield from part.read(part.file)
                yield CRLF
        yield self._end


class _Part:
    """One part: its head, and its content or the file it is read from."""

    __slots__ = ("content", "file", "head", "length", "replayable")

    def __init__(self, head: bytes, content: FileContent) -> None:
        self.head = head
        self.content = b""
        self.file: OpenFile | None = None
        self.length: int | None
        self.replayable = True
        if isinstance(content, str | bytes):
            self.content = content.encode() if isinstance(content, str) else content
            self.length = len(self.content)
        elif isinstance(content, TextIOBase) or not hasattr(content, "read"):
            raise TypeError(f"a file must be bytes, str or open in binary mode, not {type(content).__name__}")
        else:
            self.file = OpenFile(content)
            self.length = self.file.content_length
            self.replayable = self.file.replayable

    def read(self, file: OpenFile) -> Iterator[bytes]:
        """The file, from where it stood; exactly as long as announced."""
        for block in file.blocks():
            if isinstance(block, str):
                raise TypeError("a file must be open in binary mode")
            yield block


def boundary_of(content_type: str | None) -> str | None:
    """The boundary that a caller's own content-type names; None if there is none.

    Raises LocalProtocolError if it is illegal.
    """
    if content_type is None or not content_type.lower().startswith("multipart/form-data"):
        return None
    boundary = parameter(content_type, "boundary")
    return None if boundary is None else _checked_boundary(boundary)


def _checked_boundary(boundary: str) -> str:
    if not _BOUNDARY(boundary):
        raise LocalProtocolError(f"RFC 2046 5.1.1: illegal boundary {boundary[:100]!r}")
    return boundary


def _file_part(dashes: bytes, name: str, file: File) -> _Part:
    filename: str | None
    content: Any
    content_type: str | None = None
    headers: FileHeaders = ()
    if isinstance(file, tuple):
        if not 2 <= len(file) <= 4:
            raise TypeError(f"a file is (filename, content[, content type[, headers]]), not a tuple of {len(file)}")
        filename, content = file[0], file[1]
        content_type = file[2] if len(file) > 2 else None
        headers = file[3] if len(file) > 3 else ()
    else:
        content = file
        # A file opened by its descriptor has a number for a name.
        own = getattr(content, "name", None)
        filename = os.path.basename(own) if isinstance(own, str) and own else "upload"
    lines = list(headers.items() if isinstance(headers, Mapping) else headers)
    if content_type is None and filename is not None and not any(key.lower() == "content-type" for key, _ in lines):
        content_type = mimetypes.guess_type(filename)[0] or UNKNOWN_TYPE
    if content_type is not None:
        lines = [(key, value) for key, value in lines if key.lower() != "content-type"]
        lines.append(("Content-Type", content_type))
    head = [dashes, _disposition(name, filename)]
    for key, value in lines:
        field.check_name(key)
        field.check_value(value)
        head.append(f"{key}: {value}".encode("latin-1"))
    return _Part(CRLF.join([*head, b"", b""]), content)


def _disposition(name: str, filename: str | None = None) -> bytes:
    line = f'Content-Disposition: form-data; name="{name.translate(_ESCAPES)}"'
    if filename is not None:
        line += f'; filename="{filename.translate(_ESCAPES)}"'
    return line.encode("utf-8")
