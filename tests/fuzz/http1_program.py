"""Octets read as what an HTTP/1.1 peer says, whole and in pieces: the same outcome, a response or an error of ours.

The first octet chooses the request, the second how the rest is cut into reads.
"""

from __future__ import annotations

from typing import Any

from deuterium._http.phases import FINISHED, PIECES, WHOLE
from deuterium.errors import RequestError
from unit.http1.peer import answer, exchange, outcome

METHODS = ("GET", "HEAD", "CONNECT", "POST")


def run(octets: bytes) -> None:
    """Raises for a finding."""
    if len(octets) < 2:
        return
    shape, cut, said = octets[0], octets[1], octets[2:]
    whole = play(shape, said)
    assert play(shape, *cuts(said, cut)) == whole


def cuts(octets: bytes, size: int) -> list[bytes]:
    """Reads of ``size`` octets; none for no octets."""
    size = size or 1
    return [octets[start : start + size] for start in range(0, len(octets), size)]


def play(shape: int, *reads: bytes) -> Any:
    """One exchange on a new connection."""
    request = exchange(METHODS[shape & 3], delivery=PIECES if shape & 4 else WHOLE)
    hangs_up = bool(shape & 8)
    request, connection = answer(*reads, request=request, hangs_up=hangs_up)
    assert request.error is None or isinstance(request.error, RequestError)
    if hangs_up:
        assert request.phase == FINISHED
        assert connection.closed or connection.switched
    assert connection.closed or connection.capacity() == 1 or connection.switched or request.phase != FINISHED
    assert request.received <= sum(map(len, reads))
    return outcome(request, connection)
