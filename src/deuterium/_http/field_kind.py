"""What a field is to the engine, as bits that are set once, when the field is made."""

from __future__ import annotations

from typing import Final

REGULAR: Final = 0
STATUS: Final = 1
OTHER_PSEUDO: Final = 2  # any pseudo-header field a response has no place for
CONTENT_LENGTH: Final = 4
CONNECTION_SPECIFIC: Final = 8  # RFC 9113 section 8.2.2
TE: Final = 16  # only of a name; with a value it is CONNECTION_SPECIFIC, or nothing for "trailers"
MALFORMED: Final = 32  # RFC 9113 section 8.2.1, or a value its own grammar does not allow
SET_COOKIE: Final = 64
CONTENT_ENCODING: Final = 128
LOCATION: Final = 256
ALT_SVC: Final = 512
RETRY_AFTER: Final = 1024

KIND_OF_NAME: Final = {
    ":status": STATUS,
    "content-length": CONTENT_LENGTH,
    "connection": CONNECTION_SPECIFIC,
    "proxy-connection": CONNECTION_SPECIFIC,
    "keep-alive": CONNECTION_SPECIFIC,
    "transfer-encoding": CONNECTION_SPECIFIC,
    "upgrade": CONNECTION_SPECIFIC,
    "te": TE,
    "set-cookie": SET_COOKIE,
    "content-encoding": CONTENT_ENCODING,
    "location": LOCATION,
    "alt-svc": ALT_SVC,
    "retry-after": RETRY_AFTER,
}
