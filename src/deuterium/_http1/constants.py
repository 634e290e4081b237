"""Constants of an HTTP/1.1 connection: its limits, each with its reason, and its states."""

from __future__ import annotations

from typing import Final

# One header or trailer section, status line and empty line included: Chromium's bound; curl has 300 KiB.
MAX_SECTION: Final = 256 * 1024
# Field lines of one section, the status line included: Node.js has 2,000 fields.
MAX_LINES: Final = 2000
# The line of a chunk's size and extensions: Go has 4 KiB.
MAX_CHUNK_LINE: Final = 4096
# What chunk lines may cost beyond CHUNK_ALLOWANCE octets and twice the data of each chunk: Go's rule and figures. A
# peer that sends one octet a chunk is slow but legal; one that sends extensions instead of content is not.
MAX_CHUNK_EXCESS: Final = 16 * 1024
CHUNK_ALLOWANCE: Final = 16
MAX_CHUNK_SIZE: Final = (1 << 63) - 1
# Interim responses before the final one; the same bound as over HTTP/2.
MAX_INFORMATIONAL: Final = 64

# What a slow consumer leaves unread: above PAUSE_ABOVE the driver stops reading, below RESUME_BELOW it goes on.
PAUSE_ABOVE: Final = 1024 * 1024
RESUME_BELOW: Final = 512 * 1024

# The queue of unsent content: above HIGH the front end waits, below LOW it is woken. As over HTTP/2.
CONTENT_HIGH: Final = 256 * 1024
CONTENT_LOW: Final = 128 * 1024
# What one turn of the writer takes of the content at most.
TURN_OCTETS: Final = 512 * 1024
# Pieces from here on reach the writer as they are; shorter ones are joined, for whole packets and TLS records.
BY_REFERENCE: Final = 16 * 1024

# Content whose end only the end of the connection tells: more than any read.
UNKNOWN_LENGTH: Final = 1 << 62

# From here on content of known length is collected into reserved memory; below, one copy per read is cheaper.
COLLECT_FROM: Final = 4 * 1024

# Connection.state: what the next octet belongs to.
SECTION: Final = 0  # status line and header section
MEASURED: Final = 1  # content of known length
UNTIL_CLOSE: Final = 2  # content up to the end of the connection, or a tunnel
CHUNK_LINE: Final = 3
CHUNK: Final = 4
CHUNK_END: Final = 5
TRAILERS: Final = 6

# Sender.sending: what becomes of content handed in.
CLOSED: Final = 0  # none is taken, none is left
OPEN: Final = 1
ENDED: Final = 2  # the last is queued

# Sender.framing: how content is delimited.
RAW: Final = 0  # a tunnel: not at all
BY_LENGTH: Final = 1
IN_CHUNKS: Final = 2

# RequestEncoder.flags: what the fields of a request say, as bits.
LENGTH: Final = 1
CHUNKED: Final = 2
EXPECT: Final = 4
CLOSE: Final = 8
UPGRADE: Final = 16
CONNECTION: Final = 32
HOST: Final = 64
