"""Write ``_hpack/tables.py`` from RFC 7541: ``python tools/generate_hpack_tables.py``.

The Huffman code of appendix B is canonical: codes of one length count upwards in the order of their
symbols, and a longer code goes on where the shorter ones stopped. So its lengths are enough, and the codes
are computed.
"""

from __future__ import annotations

from pathlib import Path

TARGET = Path(__file__).parents[1] / "src" / "deuterium" / "_hpack" / "tables.py"

# RFC 7541 appendix B, column "len in bits"; 16 symbols a row, the last one is EOS.
LENGTHS = """
13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28
28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
 6 10 10 12 13  6  8 11 10 10  8 11  8  6  6  6
 5  5  5  6  6  6  6  6  6  6  7  8 15  6 12 10
13  6  7  7  7  7  7  7  7  7  7  7  7  7  7  7
 7  7  7  7  7  7  7  7  8  7  8 13 19 13 14  6
15  5  6  5  6  5  6  6  6  5  7  7  6  6  6  5
 6  7  6  5  5  6  7  7  7  7  7 15 11 14 13 28
20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23
24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24
22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23
21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23
26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25
19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27
20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23
26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26
30
"""

# RFC 7541 appendix A: "name", or "name: value", in the order of the indexes 1 to 61.
STATIC_TABLE = """
:authority
:method: GET
:method: POST
:path: /
:path: /index.html
:scheme: http
:scheme: https
:status: 200
:status: 204
:status: 206
:status: 304
:status: 400
:status: 404
:status: 500
accept-charset
accept-encoding: gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate
"""


def canonical_codes(lengths: list[int]) -> list[int]:
    """The code of each symbol, right-aligned."""
    codes = [0] * len(lengths)
    code = previous = 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(lengths)):
        code <<= length - previous
        codes[symbol] = code
        code += 1
        previous = length
    return codes


def static_table() -> list[tuple[str, str]]:
    """The 61 entries as (name, value)."""
    entries = []
    for line in STATIC_TABLE.split("\n")[1:-1]:
        name, _, value = line.partition(": ")
        entries.append((name, value))
    return entries


def rows(words: list[str], width: int = 110) -> str:
    """``words`` as indented lines, filled up to ``width`` columns."""
    lines, line = [], "   "
    for word in words:
        if len(line) + len(word) + 2 > width:
            lines.append(line)
            line = "   "
        line += f" {word},"
    return "\n".join([*lines, line])


def render() -> str:
    """The text of the generated module."""
    lengths = [int(word) for word in LENGTHS.split()]
    codes = canonical_codes(lengths)
    entries = "\n".join(f'    ("{name}", "{value}"),' for name, value in static_table())
    return f'''"""The tables of RFC 7541, written by tools/generate_hpack_tables.py."""

from __future__ import annotations

from typing import Final

# Appendix A: entry i has index i + 1.
STATIC_TABLE: Final = (
{entries}
)

# Appendix B: by symbol; 256 is EOS.
HUFFMAN_LENGTHS: Final = (
{rows([str(length) for length in lengths])}
)  # fmt: skip

HUFFMAN_CODES: Final = (
{rows([hex(code) for code in codes])}
)  # fmt: skip
'''


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="ascii")
