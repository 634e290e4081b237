"""OctetCache: what was made of octets is found by equal octets only, within a bound, through any flood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._memory import octet_cache
from deuterium._memory.octet_cache import OctetCache, mark_of

COMPILED = not octet_cache.__file__.endswith((".py", ".pyc"))


def find(cache: OctetCache, octets: bytes) -> object:
    data = bytearray(b"<" + octets + b">")
    return cache.find(data, 1, 1 + len(octets), mark_of(data, 1, 1 + len(octets)))


def put(cache: OctetCache, octets: bytes, made: object, times: int = 2) -> None:
    data = bytearray(b"<" + octets + b">")
    for _ in range(times):
        cache.put(data, 1, 1 + len(octets), mark_of(data, 1, 1 + len(octets)), made)


@given(st.lists(st.binary(max_size=70), max_size=40))
def test_what_is_found_was_made_of_equal_octets(strings: list[bytes]) -> None:
    cache = OctetCache(8)
    for octets in strings:
        made = find(cache, octets)
        assert made is None or made == octets
        if made is None:
            put(cache, octets, octets)
            assert find(cache, octets) == octets


@pytest.mark.parametrize("size", range(40))
def test_one_octet_changed_is_not_found(size: int) -> None:
    cache = OctetCache(8)
    octets = bytes(range(100, 100 + size))
    put(cache, octets, "made")
    assert find(cache, octets) == "made"
    assert find(cache, octets + b"\0") is None
    for position in range(size):
        changed = bytearray(octets)
        changed[position] ^= 1
        assert find(cache, bytes(changed)) is None


@pytest.mark.parametrize("octets", [b"", b"abc", b"server: nginx/1.22"])
def test_octets_of_the_same_mark_are_still_compared(octets: bytes) -> None:
    if not COMPILED:
        pytest.skip("interpreted, the mark is the octets themselves")
    cache = OctetCache(8)
    data, other = bytearray(octets), bytearray(b"another name")
    for _ in range(2):
        cache.put(data, 0, len(data), 7 << 56, "made")
    assert cache.find(data, 0, len(data), 7 << 56) == "made"
    assert cache.find(other, 0, len(other), 7 << 56) is None


def test_flood_of_new_octets_leaves_what_is_in_use() -> None:
    cache = OctetCache(16)
    put(cache, b"used", "used")
    for number in range(500):
        put(cache, b"flood %d" % number, number)
        if find(cache, b"used") is None:
            assert not COMPILED  # a dictionary that was full
            put(cache, b"used", "used")
    assert find(cache, b"used") == "used"


def test_cache_holds_its_bound_at_most() -> None:
    cache = OctetCache(16)
    for number in range(500):
        put(cache, b"%d" % number, number)
    assert sum(find(cache, b"%d" % number) is not None for number in range(500)) <= 16


def test_octets_that_come_once_are_not_kept_compiled() -> None:
    cache = OctetCache(1024)
    for number in range(200):
        put(cache, b"once %d" % number, number, times=1)
    kept = sum(find(cache, b"once %d" % number) is not None for number in range(200))
    # Interpreted all are; compiled, one octet of a hash that another left may look like one's own.
    assert kept <= 10 if COMPILED else kept == 200


def test_cache_without_places_keeps_nothing() -> None:
    cache = OctetCache(0)
    put(cache, b"octets", "made")
    assert find(cache, b"octets") is None


@pytest.mark.parametrize("bound", [-2, 1, 3, 12])
def test_bound_that_is_no_power_of_two_is_refused(bound: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        OctetCache(bound)
