"""Content codings undone in bounded steps, so that a small message cannot fill the memory (RFC 9110 section 8.4).

What octets behind a complete stream mean: another gzip member or zstd frame is decoded; anything else behind gzip,
deflate or zstd is skipped, as browsers do, because servers pad; behind br it is an error, because its libraries cannot
tell it from a broken stream. A stream that is cut is always an error. No octets at all are no content, whatever the
coding: that is what a 304, or a server's empty answer, looks like.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..config import DecodingLimits
from ..errors import DecodingError
from .decompressors import Coding, Decompressor, available_codings, find_coding

DEFAULT_LIMITS: Final = DecodingLimits()
KIB: Final = 1024

STEP: Final = 256 * KIB  # the largest piece one step makes, of whatever layer
SLICE: Final = 16 * KIB  # of input: what is left of it is copied after each step, and the ratio is measured by it
FIRST_SLICE: Final = 512  # of a stream behind another
# Streams that hold nothing make work without making content. bgzip ends a file by one; nobody needs a hundred.
MAX_EMPTY_STREAMS: Final = 100


def accept_encoding() -> str:
    """The value of accept-encoding that says what can be decoded here."""
    return ", ".join(available_codings())


def codings_to_undo(content_encoding: str) -> tuple[str, ...]:
    """The codings that can be undone, in the order to undo them.

    It ends at the first that is unknown here: what lies beneath cannot be reached, and is handed over as it is.

    >>> codings_to_undo("deflate, gzip")
    ('gzip', 'deflate')
    >>> codings_to_undo("gzip, secret")
    ()
    """
    if content_encoding == "gzip":
        return ("gzip",)
    found = []
    for item in reversed(content_encoding.split(",")):
        name = item.strip().lower()
        if name in ("", "identity"):
            continue
        coding = find_coding(name)
        if coding is None:
            break
        found.append(coding.name)
    return tuple(found)


def decode_content(codings: tuple[str, ...], content: bytes, limits: DecodingLimits = DEFAULT_LIMITS) -> bytes:
    """The whole of ``content`` with ``codings`` undone. Raises DecodingError."""
    if not codings:
        return content
    if len(codings) == 1 and len(content) <= SLICE:
        decoded = _decode_small(_known(codings[0]), content, limits)
        if decoded is not None:
            return decoded
    decoder = Decoder(codings, limits)
    pieces = list(decoder.iter_decode(content))
    decoder.finish()
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _decode_small(coding: Coding, content: bytes, limits: DecodingLimits) -> bytes | None:
    """What one stream decodes to in one step, below every limit; None if there is more to it."""
    if len(content) < coding.head or not content:
        return None
    stream = coding.open(content[: coding.head])
    try:
        decoded = stream.decompress(content, STEP)
    except coding.errors:
        return None
    if not stream.eof or stream.unused_data or len(decoded) > limits.ratio_floor_bytes:
        return None
    if limits.max_decoded_bytes is not None and len(decoded) > limits.max_decoded_bytes:
        return None
    return decoded


class Decoder:
    """Undoes ``codings``, outermost first, of content that comes in pieces.

    Not more than ``STEP`` octets of input and of output are held for a layer, beside its window (32 KiB for gzip, up
    to 8 MiB for zstd, 16 MiB for br).

    >>> import zlib
    >>> decoder = Decoder(("deflate",))
    >>> b"".join(decoder.iter_decode(zlib.compress(b"heavy water")))
    b'heavy water'
    >>> decoder.finish()
    """

    __slots__ = ("layers", "limits")

    def __init__(self, codings: tuple[str, ...], limits: DecodingLimits = DEFAULT_LIMITS) -> None:
        if not codings:
            raise ValueError("no coding to undo")
        if len(codings) > limits.max_layers:
            raise DecodingError(
                f"{len(codings)} content codings; DecodingLimits.max_layers is {limits.max_layers}", initiator="remote"
            )
        self.limits = limits
        self.layers = [_Layer(_known(name)) for name in codings]

    @property
    def needs_input(self) -> bool:
        """False while ``decode(b"")`` would give more."""
        return all(layer.needs_input for layer in self.layers)

    def iter_decode(self, data: bytes | memoryview) -> Iterator[bytes]:
        """What ``data`` decodes to, in pieces of at most ``STEP`` octets. Exhaust it before the next call."""
        piece = self.decode(data)
        while piece:
            yield piece
            piece = self.decode()

    def decode(self, data: bytes | memoryview = b"", max_length: int = STEP) -> bytes:
        """At most ``max_length`` octets; nothing when more input is needed. Data only while ``needs_input``.

        Raises DecodingError when the data is malformed or a limit is passed.
        """
        if max_length < 1:  # zlib would take 0 for no limit
            raise ValueError(f"max_length must be at least 1, not {max_length}")
        if len(data):
            self.layers[0].feed(data)
        return self._pull(len(self.layers) - 1, max_length)

    def finish(self) -> None:
        """No more input comes, and all output was taken. Raises DecodingError if a stream was cut."""
        for layer in self.layers:
            layer.finish()

    def _pull(self, at: int, max_length: int) -> bytes:
        layer = self.layers[at]
        while True:
            piece = layer.pull(max_length)
            if piece:
                self._check(layer)
                return piece
            if not at:
                return b""
            more = self._pull(at - 1, STEP)
            if not more:
                return b""
            layer.feed(more)

    def _check(self, layer: _Layer) -> None:
        """Hold what any layer made against the limits: content that is vast in between costs as much as at the end."""
        limits = self.limits
        made = layer.made
        if limits.max_decoded_bytes is not None and made > limits.max_decoded_bytes:
            raise DecodingError(
                f"content decodes to more than DecodingLimits.max_decoded_bytes ({limits.max_decoded_bytes}); "
                "raise it if this origin is trusted",
                initiator="library",
            )
        if (
            limits.max_ratio is not None
            and made > limits.ratio_floor_bytes
            and made > limits.max_ratio * self.layers[0].taken
        ):
            raise DecodingError(
                f"{self.layers[0].taken} octets decode to more than {made}, over DecodingLimits.max_ratio "
                f"({limits.max_ratio}:1); raise it if this origin is trusted",
                initiator="library",
            )


def _known(name: str) -> Coding:
    coding = find_coding(name)
    if coding is None:
        raise DecodingError(f"content coding {name!r} cannot be undone here", initiator="library")
    return coding


class _Layer:
    """One coding of the chain: its streams, one after another, and the input they have not taken."""

    __slots__ = (
        "coding",
        "empty",
        "ended",
        "head",
        "input",
        "made",
        "made_before",
        "place",
        "slice",
        "stream",
        "taken",
    )

    def __init__(self, coding: Coding) -> None:
        self.coding = coding
        self.stream: Decompressor | None = None
        self.input: bytes | memoryview = b""
        self.place = 0  # in ``input``
        self.slice = SLICE
        self.head = b""  # the end of an input that is too short to tell which stream it begins
        self.ended = False  # a stream is complete
        self.taken = 0  # octets of input
        self.made = 0  # octets of output
        self.made_before = 0  # those of the streams before this one
        self.empty = 0  # streams without output in a row

    @property
    def needs_input(self) -> bool:
        return self.place >= len(self.input) and (self.stream is None or self.stream.needs_input)

    def feed(self, data: bytes | memoryview) -> None:
        if not self.needs_input:
            raise RuntimeError("more input before the output of the last was taken")
        if self.head:
            data = self.head + bytes(data)
            self.head = b""
        self.input = data if len(data) <= SLICE else memoryview(data)
        self.place = 0

    def pull(self, max_length: int) -> bytes:
        """The next octets, at most ``max_length``; none when the input is used up."""
        try:
            while self.stream is not None or self._open():
                stream = self.stream
                assert stream is not None
                out = stream.decompress(self._take() if stream.needs_input else b"", max_length)
                self.made += len(out)
                if stream.eof:
                    self._end(stream)
                if out or self.needs_input:
                    return out
        except self.coding.errors as error:
            raise DecodingError(f"{self.coding.name}: {error}", initiator="remote") from error
        return b""

    def finish(self) -> None:
        if self.stream is not None or (self.head and not self.ended):
            raise DecodingError(f"{self.coding.name}: the content ends before its coding does", initiator="remote")

    def _take(self) -> bytes | memoryview:
        """The next slice of the input."""
        start = self.place
        self.place = end = min(start + self.slice, len(self.input))
        self.taken += end - start
        if self.slice < SLICE:
            self.slice *= 2
        return self.input[start:end]

    def _open(self) -> bool:
        """Begin the next stream; False if there is none, or too little of it to tell."""
        coding = self.coding
        left = len(self.input) - self.place
        if not left:
            return False
        if left < coding.head:
            self.head = bytes(self.input[self.place :])
            self.place += left
            return False
        head = bytes(self.input[self.place : self.place + coding.head])
        if self.ended and not coding.follows(head):
            if not coding.skips_rest:
                raise DecodingError(f"{coding.name}: octets behind the end", initiator="remote")
            self.place += left
            self.taken += left
            return False
        self.stream = coding.open(head)
        return True

    def _end(self, stream: Decompressor) -> None:
        """A stream is complete: what it left of its last slice is input again."""
        left = len(stream.unused_data)
        self.place -= left
        self.taken -= left
        # What is left is a copy: where streams are short, so are slices.
        self.slice = FIRST_SLICE
        self.stream = None
        self.ended = True
        self.empty = self.empty + 1 if self.made == self.made_before else 0
        self.made_before = self.made
        if self.empty > MAX_EMPTY_STREAMS:
            raise DecodingError(f"{self.coding.name}: {self.empty} empty streams in a row", initiator="remote")
