"""Random conversations: whatever a peer says and a caller does, it ends in answers or in exceptions of ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.http2_program import STEPS, run
from rfc import wire
from rfc.talk import Talk

CORPUS = sorted((Path(__file__).parent / "corpus" / "http2").glob("*"))

# A step and what it reads, so that most programs say something sensible; and plain octets, which need not.
STEP = st.tuples(st.integers(0, len(STEPS) - 1), st.binary(max_size=6)).map(lambda step: bytes([step[0]]) + step[1])
PROGRAM = st.one_of(
    st.lists(STEP, max_size=80).map(lambda steps: bytes([0, 1, 0]) + b"".join(steps)), st.binary(max_size=400)
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PROGRAM)
def test_random_conversation_ends_in_answers_or_errors_of_ours(program: bytes) -> None:
    run(program)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=2_000), st.booleans())
def test_random_octets_end_in_errors_of_ours(octets: bytes, after_settings: bool) -> None:
    talk = Talk({} if after_settings else None)
    talk.requests(3)
    talk.hears(octets)
    talk.connection.receive_eof(talk.now)
    talk.sent()
    assert not talk.alive
    assert talk.streams.stats().outstanding == 0


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.data())
def test_legal_conversation_with_one_bit_wrong_ends_in_answers_or_errors_of_ours(
    seed: int, data: st.DataObject
) -> None:
    octets = bytearray(
        wire.settings({wire.MAX_CONCURRENT_STREAMS: 2})
        + wire.settings_ack()
        + wire.response(1, ("content-length", "6"))
        + wire.data(1, b"con", pad=3)
        + wire.response(3, status=103)
        + wire.headers(3, wire.block((":status", "200"), ("x", "y")), priority=bytes(5))
        + wire.data(1, b"ten", end=True)
        + wire.ping()
        + wire.data(3, b"content")
        + wire.trailers(3, ("x-sum", "1"))
        + wire.response(5)
        + wire.goaway(5)
        + wire.data(5, end=True)
    )
    bit = data.draw(st.integers(0, len(octets) * 8 - 1))
    octets[bit // 8] ^= 1 << bit % 8
    talk = Talk(None)
    exchanges = talk.requests(4)
    talk.hears(bytes(octets))
    talk.connection.receive_eof(talk.now)
    talk.sent()
    assert all(exchange.phase == 3 for exchange in exchanges)


@pytest.mark.parametrize("program", CORPUS, ids=lambda path: path.name)
def test_conversation_of_the_corpus_still_holds(program: Path) -> None:
    run(program.read_bytes())
