"""Link fields: targets, parameters, and what is malformed (RFC 8288)."""

from __future__ import annotations

import time

import pytest

from deuterium._http.links import parse_links


@pytest.mark.rfc("8288", "3")
@pytest.mark.parametrize(
    ("value", "links"),
    [
        ("", []),
        ("<>", [{"url": ""}]),
        ("</a>;rel=next", [{"url": "/a", "rel": "next"}]),
        ('</a> ; REL = "next" ; title="a, <b>; \\"c\\""', [{"url": "/a", "rel": "next", "title": 'a, <b>; "c"'}]),
        ("</a>; rel=next; rel=prev", [{"url": "/a", "rel": "next"}]),
        ("</a,b;c>; rel=next,, </d>", [{"url": "/a,b;c", "rel": "next"}, {"url": "/d"}]),
        ("</a>; crossorigin; url=/evil; =x", [{"url": "/a", "crossorigin": ""}]),
        ("</a>; title*=UTF-8''%e2%82%ac", [{"url": "/a", "title*": "UTF-8''%e2%82%ac"}]),
        ("</a> junk; rel=next, </b>", [{"url": "/a"}, {"url": "/b"}]),
        ('</a>; rel="next, </b>; rel=x', [{"url": "/a", "rel": ""}]),
        ("no target, </a>", []),
        ("</a", []),
    ],
)
def test_link_field_of_each_form_is_taken_apart(value: str, links: list[dict[str, str]]) -> None:
    assert parse_links(value) == links


@pytest.mark.parametrize("part", ["<", ">", '"', ";", ",", "<>", "; a=", '; "', "<>;", ' <a>; b="\\', "=", " "])
def test_link_field_of_hostile_length_takes_linear_time(part: str) -> None:
    began = time.perf_counter()
    parse_links("<a>" + part * 20_000)
    parse_links(part * 20_000)
    assert time.perf_counter() - began < 2.0
