"""StringPool: one object for what repeats, none for what does not, and a bound."""

from __future__ import annotations

import uuid
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._memory.string_pool import StringPool, should_pool


def copy(s: str) -> str:
    """An equal string that is another object."""
    return "".join([s[:1], s[1:]])


def test_name_repeated_gives_the_first_object() -> None:
    pool = StringPool()
    first = pool.name(copy("content-type"))
    second = copy("content-type")
    assert second is not first
    assert pool.name(second) is first
    stats = pool.stats()
    assert (stats.hits, stats.misses, stats.refused, stats.size) == (1, 1, 0, 1)


def test_value_repeated_gives_the_first_object() -> None:
    pool = StringPool()
    first = pool.value("content-type", copy("text/html; charset=utf-8"))
    assert pool.value("content-type", copy("text/html; charset=utf-8")) is first


def test_value_refused_is_handed_back_and_not_kept() -> None:
    pool = StringPool()
    token = copy("session=abc")
    assert pool.value("set-cookie", token) is token
    stats = pool.stats()
    assert (stats.misses, stats.refused, stats.size) == (0, 1, 0)


def test_length_at_the_limit_is_shared_and_beyond_it_refused() -> None:
    pool = StringPool(max_length=8)
    assert pool.name("a" * 8) == "a" * 8
    assert pool.value("server", "b" * 8) == "b" * 8
    assert pool.stats().size == 2
    pool.name("a" * 9)
    pool.value("server", "b" * 9)
    assert (pool.stats().size, pool.stats().refused) == (2, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content-type", "application/json"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("strict-transport-security", "max-age=63072000"),
        ("alt-svc", 'h3=":443"; ma=86400'),
        ("server", "nginx/1.22.1"),
        (":status", "200"),
        ("x-flag", "1"),
        ("x-shards", "123"),
        ("x-cache-status", "HIT"),
        ("x-region", "eu-central-1"),
        ("x-anything", ""),
        ("x-word", "a" * 19),
    ],
)
def test_should_pool_repeating_value_is_true(name: str, value: str) -> None:
    assert should_pool(name, value) is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("date", "Tue, 15 Nov 1994 08:12:31 GMT"),
        ("x-served", "Tue, 15 Nov 1994 08:12:31 GMT"),
        ("x-when", "2024-02-29T12:00:00Z"),
        ("etag", 'W/"1"'),
        ("set-cookie", "a=b"),
        ("cookie", "a=b"),
        ("authorization", "Basic YTpi"),
        ("proxy-authorization", "Basic YTpi"),
        ("content-length", "5"),
        ("x-count", "1234"),
        ("x-request-id", "abc"),
        ("x-csrf-token", "abc"),
        ("cf-ray", "abc"),
        ("x-trace", "6f1c9a52-0d1b-4d7c-9f43-6b0f2b9a7e11"),
        ("x-word", "a" * 20),
        ("location", "/next"),
        (":path", "/"),
    ],
)
def test_should_pool_changing_value_is_false(name: str, value: str) -> None:
    assert should_pool(name, value) is False


def test_unique_ids_and_dates_do_not_grow_the_pool() -> None:
    pool = StringPool()
    for i in range(2000):
        unique = uuid.UUID(int=(i + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128))
        pool.value("x-trace", str(unique))
        pool.value("x-span", unique.hex)
        pool.value("x-when", formatdate(i * 1000, usegmt=True))
        pool.value("x-length", str(10_000 + i))
    assert pool.stats().size == 0


@pytest.mark.parametrize("bound", [2, 3, 16])
def test_flood_of_new_strings_never_passes_the_bound(bound: int) -> None:
    pool = StringPool(bound=bound)
    for i in range(100):
        pool.name(f"x-{i}")
        assert pool.stats().size <= bound


def test_flood_of_new_strings_leaves_what_is_in_use() -> None:
    pool = StringPool(bound=16)
    used = pool.name("content-type")
    for i in range(100):
        pool.name(f"x-{i}")
        if i % 4 == 0:
            assert pool.name(copy("content-type")) is used


def test_pool_off_hands_back_what_it_was_given() -> None:
    pool = StringPool(enabled=False)
    for s in (copy("content-type"), copy("content-type")):
        assert pool.name(s) is s
        assert pool.value("server", s) is s
    assert (pool.stats().size, pool.stats().refused) == (0, 4)


@pytest.mark.parametrize("arguments", [{"bound": 1}, {"bound": -1}, {"max_length": -1}])
def test_pool_illegal_limits_raise(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="bound"):
        StringPool(**arguments)


@given(st.lists(st.tuples(st.sampled_from(["server", "x-a", "date"]), st.text(max_size=70)), max_size=60))
def test_value_is_always_equal_to_what_was_given(pairs: list[tuple[str, str]]) -> None:
    pool = StringPool(bound=8)
    for name, value in pairs:
        assert pool.value(name, value) == value
        assert pool.name(name) == name
        assert pool.stats().size <= 8
