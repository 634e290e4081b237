"""Names that responses repeat are one object, whatever case they come in."""

from __future__ import annotations

import pytest

from deuterium._http1.connection import Connection
from deuterium._http1.names import KNOWN_NAMES
from deuterium._memory.string_pool import StringPool
from unit.http1.peer import Peer, answer, ask


def test_known_names_are_the_lower_case_of_what_is_written() -> None:
    for written, name in KNOWN_NAMES.items():
        assert written.decode().lower() == name


@pytest.mark.parametrize("written", [b"Content-Type", b"content-type", b"ETag", b"Etag", b"Strict-Transport-Security"])
def test_known_name_is_shared(written: bytes) -> None:
    request, _ = answer(b"HTTP/1.1 204 X\r\n" + written + b": x\r\n\r\n")
    assert (request.fields or [])[0][0] is KNOWN_NAMES[written]


@pytest.mark.parametrize("written", [b"CONTENT-TYPE", b"content-Type", b"X-Unheard-Of"])
def test_other_name_is_decoded(written: bytes) -> None:
    request, _ = answer(b"HTTP/1.1 204 X\r\n" + written + b": x\r\n\r\n")
    assert request.fields == [(written.decode().lower(), "x")]


def test_pool_shares_names_and_values_between_connections() -> None:
    strings = StringPool()
    seen = []
    for _ in range(2):
        peer = Peer(Connection(strings))
        request = ask(peer)
        peer.says(b"HTTP/1.1 204 X\r\nX-Unheard-Of: Some value\r\n\r\n")
        seen.append((request.fields or [])[0])
    assert seen[0] == ("x-unheard-of", "Some value")
    assert seen[0][0] is seen[1][0]
    assert seen[0][1] is seen[1][1]
