"""Headers: lookup by name in any letter case, every line kept, nothing illegal let in."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping, MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium.errors import LocalProtocolError
from deuterium.headers import Headers

TCHARS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
NAMES = st.text(TCHARS, min_size=1, max_size=8)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8).map(str.strip)
LINES = st.lists(st.tuples(NAMES, VALUES), max_size=12)


@pytest.mark.parametrize(
    "source",
    [
        {"Accept": "a", "X-Id": "1"},
        [("Accept", "a"), ("X-Id", "1")],
        ((b"Accept", b"a"), (b"X-Id", b"1")),
        {b"Accept": b"a", b"X-Id": b"1"},
        Headers({"Accept": "a", "X-Id": "1"}),
        (pair for pair in [("Accept", "a"), ("X-Id", "1")]),
    ],
    ids=["dict", "list", "octets", "dict of octets", "Headers", "iterator"],
)
def test_headers_from_each_source_hold_the_same_lines(source: Any) -> None:
    headers = Headers(source)
    assert headers.multi_items() == [("accept", "a"), ("x-id", "1")]
    assert headers.raw == [(b"Accept", b"a"), (b"X-Id", b"1")]


def test_headers_from_nothing_are_empty() -> None:
    assert not Headers()
    assert Headers(None).multi_items() == []


def test_headers_are_a_mutable_mapping() -> None:
    assert isinstance(Headers(), MutableMapping)
    assert isinstance(Headers(), Mapping)
    assert dict(Headers([("A", "1"), ("a", "2"), ("b", "3")])) == {"a": "1, 2", "b": "3"}


def test_lookup_ignores_letter_case_and_joins_repeated_lines() -> None:
    headers = Headers([("Vary", "accept"), ("x", "1"), ("vary", "cookie"), ("VARY", "origin")])
    assert headers["vArY"] == headers.get("VARY") == "accept, cookie, origin"
    assert headers.get_list("Vary") == ["accept", "cookie", "origin"]
    assert "vary" in headers
    assert "VARY" in headers
    assert "other" not in headers
    not_a_name: Any = 1
    assert not_a_name not in headers
    assert headers.get("other") is None
    assert headers.get("other", "fallback") == "fallback"
    with pytest.raises(KeyError, match="other"):
        headers["other"]


def test_get_list_with_split_commas_drops_empty_items() -> None:
    headers = Headers([("te", "a , b"), ("te", " ,c,,".strip())])
    assert headers.get_list("te", split_commas=True) == ["a", "b", "c"]
    assert headers.get_list("absent") == []


def test_views_name_each_field_once() -> None:
    headers = Headers([("A", "1"), ("b", "2"), ("a", "3")])
    assert list(headers) == list(headers.keys()) == ["a", "b"]
    assert list(headers.values()) == ["1, 3", "2"]
    assert list(headers.items()) == [("a", "1, 3"), ("b", "2")]
    assert len(headers) == 2


def test_assignment_replaces_every_line_at_the_place_of_the_first() -> None:
    headers = Headers([("a", "1"), ("b", "2"), ("A", "3"), ("c", "4")])
    headers["A"] = "5"
    assert headers.raw == [(b"A", b"5"), (b"b", b"2"), (b"c", b"4")]
    headers["d"] = "6"
    assert headers.multi_items()[-1] == ("d", "6")


def test_deletion_removes_every_line_of_the_name() -> None:
    headers = Headers([("a", "1"), ("b", "2"), ("A", "3")])
    del headers["A"]
    assert headers.multi_items() == [("b", "2")]
    with pytest.raises(KeyError):
        del headers["a"]
    assert headers.pop("B") == "2"
    assert headers.setdefault("c", "x") == "x"
    headers.clear()
    assert headers.multi_items() == []


def test_update_replaces_names_and_keeps_repeated_lines_of_the_source() -> None:
    headers = Headers([("a", "1"), ("b", "2"), ("c", "3")])
    headers.update(Headers([("A", "4"), ("a", "5")]), b="6")
    assert headers.multi_items() == [("c", "3"), ("a", "4"), ("a", "5"), ("b", "6")]
    headers.update()
    assert len(headers) == 3


def test_spelling_follows_the_last_writer() -> None:
    headers = Headers({"X-Api": "1"})
    assert headers.raw == [(b"X-Api", b"1")]
    headers["x-api"] = "2"
    assert headers.raw == [(b"x-api", b"2")]
    headers.update({"X-API": "3"})
    assert headers.copy().raw == [(b"X-API", b"3")]


def test_copy_is_independent_in_both_directions() -> None:
    first = Headers({"A": "1"})
    for second in (first.copy(), copy.copy(first), copy.deepcopy(first), Headers(first)):
        second["a"] = "2"
        second["b"] = "3"
        assert first.raw == [(b"A", b"1")]
        first["C"] = "4"
        assert "c" not in second
        del first["c"]


def test_pickle_keeps_lines_and_spelling() -> None:
    headers = Headers([("X-A", "1"), ("set-cookie", "a=b"), ("set-cookie", "c=d")])
    again = pickle.loads(pickle.dumps(headers))
    assert type(again) is Headers
    assert again.raw == headers.raw


def test_from_pairs_keeps_the_list_and_never_changes_it() -> None:
    pairs = [("a", "1"), ("b", "2")]
    headers = Headers.from_pairs(pairs)
    assert headers.pairs is pairs
    headers["a"] = "3"
    headers["c"] = "4"
    del headers["b"]
    assert pairs == [("a", "1"), ("b", "2")]
    assert headers.multi_items() == [("a", "3"), ("c", "4")]


def test_lines_are_the_same_tuple_until_the_headers_change() -> None:
    headers = Headers({"A": "1"})
    lines = headers.lines()
    assert lines == (("a", "1"),)
    assert headers.lines() is lines
    headers["b"] = "2"
    assert headers.lines() == (("a", "1"), ("b", "2"))
    before = headers.lines()
    del headers["b"]
    assert headers.lines() != before


@pytest.mark.parametrize("name", ["authorization", "Proxy-Authorization", "cookie", "Set-Cookie"])
def test_repr_hides_secret_values(name: str) -> None:
    for headers in (Headers([(name, "tops3cret"), ("x", "seen")]), Headers([(name, "tops3cret"), (name, "s3cond")])):
        assert "s3c" not in repr(headers)
        assert name.lower() in repr(headers)
    assert repr(Headers({"X": "1"})) == "Headers({'x': '1'})"
    assert repr(Headers([("x", "1"), ("x", "2")])) == "Headers([('x', '1'), ('x', '2')])"


def test_equality_ignores_order_and_letter_case_of_names() -> None:
    headers = Headers([("A", "1"), ("b", "2")])
    assert headers == Headers([("B", "2"), ("a", "1")])
    assert headers == {"a": "1", "B": "2"}
    assert headers == [("a", "1"), ("b", "2")]
    assert headers != {"a": "1"}
    assert headers != {"a": 1}
    assert headers != "a"
    assert headers != ["a"]
    assert Headers([("a", "1, 2")]) != Headers([("a", "1"), ("a", "2")])
    with pytest.raises(TypeError):
        hash(headers)


@pytest.mark.rfc("9110", "5.5")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "x"),
        ("a b", "x"),
        ("a:", "x"),
        (":status", "200"),
        ("a\r\nb", "x"),
        ("a\0", "x"),
        ("é", "x"),
        ("\u212aey", "x"),
        ("a", "x\r\ny: z"),
        ("a", "x\ny"),
        ("a", "x\ry"),
        ("a", "x\0"),
        ("a", "\x7f"),
        ("a", " x"),
        ("a", "x\t"),
        ("a", "\u0100"),
        ("a", "x\u2028y"),
    ],
)
def test_illegal_name_or_value_is_refused_on_every_way_in(name: str, value: str) -> None:
    headers = Headers({"z": "1"})
    with pytest.raises(LocalProtocolError):
        Headers({name: value})
    with pytest.raises(LocalProtocolError):
        headers[name] = value
    with pytest.raises(LocalProtocolError):
        headers.update([(name, value)])
    with pytest.raises(LocalProtocolError):
        headers.setdefault(name, value)
    assert headers.raw == [(b"z", b"1")]


@pytest.mark.parametrize("value", ["", "x", "a b", "a\tb", "\xff", "!~"])
def test_legal_value_is_kept_as_it_is(value: str) -> None:
    headers = Headers({"A": value})
    assert headers["a"] == value
    assert headers.raw == [(b"A", value.encode("latin-1"))]


@pytest.mark.parametrize("source", [{"a": 1}, {"a": None}, {1: "a"}, [("a", ["b"])]])
def test_value_of_another_type_is_a_type_error(source: Any) -> None:
    with pytest.raises(TypeError, match="must be str or bytes"):
        Headers(source)


def test_ten_thousand_lines_of_one_name_are_joined_in_linear_time() -> None:
    headers = Headers.from_pairs([("a", "x" * 100)] * 10_000)
    assert len(headers["a"]) == 10_000 * 102 - 2


@given(LINES, NAMES, VALUES)
def test_headers_behave_like_a_list_of_lines(lines: list[tuple[str, str]], name: str, value: str) -> None:
    headers = Headers(lines)
    lowered = [(key.lower(), text) for key, text in lines]
    assert headers.multi_items() == lowered
    wanted = name.lower()
    assert headers.get_list(name) == [text for key, text in lowered if key == wanted]
    headers[name] = value
    assert headers.get_list(name) == [value]
    assert [line for line in headers.multi_items() if line[0] != wanted] == [
        line for line in lowered if line[0] != wanted
    ]
    del headers[name]
    assert headers.multi_items() == [line for line in lowered if line[0] != wanted]
