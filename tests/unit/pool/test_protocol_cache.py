"""The protocol cache: who is believed, for how long, and what is tried next."""

from __future__ import annotations

import pytest

from deuterium._pool.protocol_cache import Known, Protocol, ProtocolCache

ORIGIN = ("https", "origin.test", 443)
BOTH = ("h2", "http/1.1")


def test_protocol_unknown_origin_is_offered_both() -> None:
    cache = ProtocolCache()
    assert cache.lookup(ORIGIN, 0.0) is None
    assert cache.alpn(ORIGIN, 0.0) == BOTH
    assert cache.may_share(ORIGIN, 0.0)


@pytest.mark.parametrize("protocol", ["h2", "http/1.1", "h2c"])
def test_protocol_learned_is_known_and_expires(protocol: Protocol) -> None:
    cache = ProtocolCache(life_s=100.0)
    assert cache.learn(ORIGIN, protocol, 0.0)
    assert cache.lookup(ORIGIN, 99.9) == Known(protocol, "learned", 100.0)
    assert cache.lookup(ORIGIN, 100.0) is None
    assert (cache.stats().hits, cache.stats().misses, cache.stats().expired) == (1, 1, 1)


def test_protocol_learned_does_not_narrow_the_handshake() -> None:
    cache = ProtocolCache()
    cache.learn(ORIGIN, "http/1.1", 0.0)
    assert cache.alpn(ORIGIN, 1.0) == BOTH, "the origin may have been upgraded since"


def test_protocol_learned_anew_lives_anew_and_counts_the_change() -> None:
    cache = ProtocolCache(life_s=100.0)
    cache.learn(ORIGIN, "h2", 0.0)
    cache.learn(ORIGIN, "h2", 50.0)
    cache.learn(ORIGIN, "http/1.1", 60.0)
    assert cache.lookup(ORIGIN, 159.9) == Known("http/1.1", "learned", 160.0)
    assert (cache.stats().learned, cache.stats().changed) == (3, 1)


@pytest.mark.parametrize(("forced", "offered"), [("h2", ("h2",)), ("http/1.1", ("http/1.1",)), ("h2c", ("h2",))])
def test_protocol_forced_never_expires_and_is_all_that_is_offered(forced: Protocol, offered: tuple[str, ...]) -> None:
    cache = ProtocolCache()
    cache.force(ORIGIN, forced)
    known = cache.lookup(ORIGIN, 1e12)
    assert known is not None
    assert (known.protocol, known.source) == (forced, "forced")
    assert cache.alpn(ORIGIN, 1e12) == offered


@pytest.mark.parametrize(
    ("forced", "spoken", "usable"),
    [("h2", "h2", True), ("h2", "http/1.1", False), ("http/1.1", "h2", False), ("h2c", "http/1.1", False)],
)
def test_protocol_forced_is_not_unlearned(forced: Protocol, spoken: Protocol, usable: bool) -> None:
    cache = ProtocolCache()
    cache.force(ORIGIN, forced)
    assert cache.learn(ORIGIN, spoken, 0.0) is usable
    known = cache.lookup(ORIGIN, 0.0)
    assert known is not None
    assert known.protocol == forced


def test_protocol_released_falls_back_to_what_was_learned() -> None:
    cache = ProtocolCache()
    cache.learn(ORIGIN, "h2", 0.0)
    cache.force(ORIGIN, "http/1.1")
    cache.release(ORIGIN)
    cache.release(ORIGIN)
    assert cache.lookup(ORIGIN, 0.0) == Known("h2", "learned", 3600.0)


@pytest.mark.rfc("9113", "7")
@pytest.mark.parametrize(("now", "offered"), [(599.9, ("http/1.1",)), (600.0, BOTH)])
def test_http1_required_stops_offering_h2_for_a_while(now: float, offered: tuple[str, ...]) -> None:
    cache = ProtocolCache(required_life_s=600.0)
    cache.learn(ORIGIN, "h2", 0.0)
    assert cache.http1_required(ORIGIN, 0.0)
    assert cache.alpn(ORIGIN, now) == offered


def test_http1_required_stands_against_a_handshake_begun_before() -> None:
    cache = ProtocolCache()
    cache.http1_required(ORIGIN, 0.0)
    assert cache.learn(ORIGIN, "h2", 1.0)
    assert cache.learn(ORIGIN, "http/1.1", 2.0)
    assert cache.lookup(ORIGIN, 3.0) == Known("http/1.1", "required", 600.0)


@pytest.mark.parametrize("forced", ["h2", "http/1.1", "h2c"])
def test_http1_required_of_a_forced_origin_is_no_reason_to_try_again(forced: Protocol) -> None:
    cache = ProtocolCache()
    cache.force(ORIGIN, forced)
    assert not cache.http1_required(ORIGIN, 0.0)
    known = cache.lookup(ORIGIN, 0.0)
    assert known is not None
    assert known.protocol == forced


@pytest.mark.parametrize(("forced", "again"), [(None, True), ("http/1.1", True), ("h2c", False)])
def test_h2c_refused_is_tried_again_unless_forced(forced: Protocol | None, again: bool) -> None:
    cache = ProtocolCache()
    if forced is not None:
        cache.force(ORIGIN, forced)
    assert cache.h2c_refused(ORIGIN, 0.0) is again


@pytest.mark.rfc("9110", "15.5.20")
@pytest.mark.parametrize(("now", "shares"), [(3599.9, False), (3600.0, True)])
def test_misdirected_origin_gets_connections_of_its_own(now: float, shares: bool) -> None:
    cache = ProtocolCache()
    cache.learn(ORIGIN, "h2", 0.0)
    cache.misdirected(ORIGIN, 0.0)
    assert cache.may_share(ORIGIN, now) is shares
    assert cache.may_share("another", now)
    assert cache.alpn(ORIGIN, now) == BOTH


def test_protocol_forgotten_keeps_only_what_is_forced() -> None:
    cache = ProtocolCache()
    cache.http1_required(ORIGIN, 0.0)
    cache.misdirected(ORIGIN, 0.0)
    cache.force("forced", "h2")
    cache.forget(ORIGIN)
    cache.forget("forced")
    assert cache.lookup(ORIGIN, 0.0) is None
    assert cache.may_share(ORIGIN, 0.0)
    assert cache.alpn("forced", 0.0) == ("h2",)


def test_protocol_cache_is_bounded_and_evicts_the_least_used() -> None:
    cache = ProtocolCache(max_origins=2)
    cache.learn("a", "h2", 0.0)
    cache.learn("b", "h2", 0.0)
    assert cache.stats().evicted == 0
    cache.lookup("a", 0.0)
    cache.learn("c", "h2", 0.0)
    assert cache.lookup("b", 0.0) is None
    assert cache.lookup("a", 0.0) is not None
    for number in range(1000):
        cache.learn(number, "h2", 0.0)
        cache.misdirected(number, 0.0)
    assert cache.stats().origins == 2
    assert not cache.may_share(999, 0.0)
    assert cache.may_share(997, 0.0)


def test_protocol_cache_without_a_place_raises() -> None:
    with pytest.raises(ValueError, match="max_origins"):
        ProtocolCache(max_origins=0)
