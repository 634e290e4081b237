"""Server-sent events out of octets, as the HTML standard section 9.2.6 interprets an event stream."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from ..errors import DecodingError
from .json_codec import JsonCodec
from .lines import OctetLines

# A line, and the data of one event. Images come as base64 inside events of several megabytes.
MAX_EVENT_BYTES: Final = 32 * 1024 * 1024
MAX_RETRY_DIGITS: Final = 15

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event. ``id`` is the last that was set, by this event or one before; ``retry`` is in milliseconds."""

    event: str = "message"
    data: str = ""
    id: str = ""
    retry: int | None = None

    def json(self, *, type: Any = None) -> Any:
        """``data`` as JSON; with ``type`` a value of that type, by msgspec."""
        return json.loads(self.data) if type is None else JsonCodec().load_as(self.data, type)


class EventParser:
    """Events out of an event stream that comes in pieces.

    ``last_event_id`` and ``retry`` are what a reconnection needs. An event without data is not dispatched; one
    that the end of the stream cuts is dropped.

    >>> EventParser().feed(b"event: tick\\ndata: 1\\n\\n")
    [ServerSentEvent(event='tick', data='1', id='', retry=None)]
    """

    __slots__ = (
        "committed_id",
        "data",
        "event",
        "event_retry",
        "last_event_id",
        "limit",
        "lines",
        "retry",
        "size",
        "start",
    )

    def __init__(self, last_event_id: str = "", limit: int = MAX_EVENT_BYTES) -> None:
        self.last_event_id = last_event_id
        self.committed_id = last_event_id  # of what was complete: where a reconnection goes on
        self.retry: int | None = None
        self.limit = limit
        self.lines = OctetLines(limit)
        self.start: bytes | None = b""  # octets that may be a byte order mark; None once that is decided
        self.event = ""
        self.data: list[str] = []
        self.size = 0  # octets of ``data``
        self.event_retry: int | None = None

    def feed(self, octets: bytes) -> list[ServerSentEvent]:
        """The events that are complete. DecodingError when a line or the data of an event pass the limit."""
        if self.start is not None:
            octets = self.start + octets
            if len(octets) < len(_BOM) and _BOM.startswith(octets):
                self.start = octets
                return []
            self.start = None
            octets = octets.removeprefix(_BOM)
        events = []
        for line in self.lines.feed(octets):
            if line:
                self._field(line)
            elif (event := self._dispatch()) is not None:
                events.append(event)
        # A CR that ends a piece ends its line; only whether an LF belongs to it is open. An event must not wait for it.
        if self.lines.cr and not self.lines.partial and (event := self._dispatch()) is not None:
            events.append(event)
        return events

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if not name:
            return  # a comment
        value = value.removeprefix(b" ")
        if name == b"data":
            self.size += len(value) + 1
            if self.size > self.limit:
                raise DecodingError(f"an event has more than {self.limit} octets of data", initiator="library")
            self.data.append(value.decode("utf-8", "replace"))
        elif name == b"event":
            self.event = value.decode("utf-8", "replace")
        elif name == b"id":
            if b"\0" not in value:
                self.last_event_id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) <= MAX_RETRY_DIGITS:
            self.retry = self.event_retry = int(value)

    def _dispatch(self) -> ServerSentEvent | None:
        event = None
        self.committed_id = self.last_event_id
        if self.data:
            data = "\n".join(self.data)
            event = ServerSentEvent(self.event or "message", data, self.last_event_id, self.event_retry)
        self.event = ""
        self.data = []
        self.size = 0
        self.event_retry = None
        return event
