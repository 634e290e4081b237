"""How much one read takes."""

from __future__ import annotations

from typing import Final

# While many streams carry small responses, small reads let client and server overlap instead of taking turns.
MANY_STREAMS: Final = 8
SMALL_READ: Final = 8 * 1024
TURN_READS: Final = 2  # then whoever was woken runs, while what they need is in the processor's cache
SMALL_RESPONSE: Final = 8 * 1024  # octets a request brought on average; above it, small reads only cost calls
NORMAL_READ: Final = 64 * 1024
RECORD: Final = 16 * 1024  # content of a full TLS record
# After a read that brought as much as a normal one takes: more lies ready.
LARGE_READ: Final = 128 * 1024  # twice as much costs TLS a twentieth more
# Without TLS twice as much takes a fourteenth less; an unfinished frame has room with it in the largest pooled buffer.
CLEAR_READ: Final = 240 * 1024
TURN_OCTETS: Final = 1024 * 1024  # at most, while something waits for the turn's end: a quarter of a stream's window
