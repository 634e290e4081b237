"""Urlencoded forms: what any parser reads is what was given."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http.forms import encode_form, form_fields

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_form_is_parsed_back_by_the_standard_library(fields: list[tuple[str, str]]) -> None:
    content = encode_form(fields).decode("ascii")
    assert parse_qsl(content, keep_blank_values=True) == fields


@pytest.mark.parametrize(
    ("data", "content"),
    [
        ({}, b""),
        ({"a": "1", "b": 2, "c": 2.5, "d": True, "e": False, "f": None}, b"a=1&b=2&c=2.5&d=true&e=false&f="),
        ({"a": ["1", 2], "b": ()}, b"a=1&a=2"),
        ([("a", "1"), ("b", "2"), ("a", "3")], b"a=1&b=2&a=3"),
        ({"a": b"\xff\x00"}, b"a=%FF%00"),
        ({"a&b": "c=d&e\r\n"}, b"a%26b=c%3Dd%26e%0D%0A"),
        ({"é": "ü"}, b"%C3%A9=%C3%BC"),
    ],
)
def test_form_is_encoded_as_browsers_do(data: Any, content: bytes) -> None:
    assert encode_form(data) == content


@pytest.mark.parametrize("data", [{"a": {"b": "c"}}, {"a": object()}, {"a": [[]]}, {1: "a"}, [("a", {"x"}, 1)]])
def test_value_that_is_no_field_is_refused(data: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        form_fields(data)
