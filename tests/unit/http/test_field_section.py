"""A field section: what its fields say together."""

import pytest

from deuterium._http.field import make_field
from deuterium._http.field_kind import CONTENT_LENGTH, LOCATION, SET_COOKIE, STATUS
from deuterium._http.field_section import FieldSection

OK = (":status", "200")


def section_of(*pairs: tuple[str, str], limit: int = 1 << 16, trailers: bool = False) -> FieldSection:
    section = FieldSection()
    section.begin(limit, trailers)
    for pair in pairs:
        section.add(make_field(*pair))
    section.finish()
    return section


def test_section_keeps_regular_fields_in_order_and_what_they_are():
    pairs = [("a", "1"), ("set-cookie", "x=1"), ("a", "2"), ("location", "/"), ("content-length", "7")]
    section = section_of(OK, *pairs)
    assert section.pairs == pairs
    assert (section.status, section.content_length, section.error) == (200, 7, "")
    assert section.kinds == STATUS | SET_COOKIE | LOCATION | CONTENT_LENGTH
    assert section.size == 7 + 3 + 32 + sum(len(name) + len(value) + 32 for name, value in pairs)


def test_section_begun_again_leaves_the_earlier_list_to_its_owner():
    section = section_of(OK, ("a", "1"), ("content-length", "1"), ("connection", "close"))
    taken = section.pairs
    section.begin(1, True)
    assert taken == [("a", "1"), ("content-length", "1"), ("connection", "close")]
    assert (section.pairs, section.kinds, section.status, section.content_length) == ([], 0, -1, -1)
    assert (section.size, section.limit, section.overflow, section.error, section.trailers) == (0, 1, False, "", True)


@pytest.mark.rfc("9113", "8.3.2")
def test_section_without_status_is_broken_unless_trailers():
    assert "no :status" in section_of(("a", "1")).error
    assert section_of(("a", "1"), trailers=True).error == ""


@pytest.mark.parametrize(
    ("pairs", "rule"),
    [
        pytest.param([OK, OK], "RFC 9113 8.3: more than one", marks=pytest.mark.rfc("9113", "8.3")),
        pytest.param([OK, ("a", "1"), OK], "after a regular field", marks=pytest.mark.rfc("9113", "8.3")),
        pytest.param([("a", "1"), OK], "after a regular field", marks=pytest.mark.rfc("9113", "8.3")),
        pytest.param([OK, (":path", "/")], "in a response", marks=pytest.mark.rfc("9113", "8.3")),
        pytest.param([(":method", "GET"), OK], "in a response", marks=pytest.mark.rfc("9113", "8.3")),
        pytest.param([(":status", "20")], "RFC 9113 8.3.2", marks=pytest.mark.rfc("9113", "8.3.2")),
        pytest.param([OK, ("connection", "close")], "RFC 9113 8.2.2", marks=pytest.mark.rfc("9113", "8.2.2")),
        pytest.param([OK, ("te", "gzip")], "RFC 9113 8.2.2", marks=pytest.mark.rfc("9113", "8.2.2")),
        pytest.param([OK, ("Server", "x")], "RFC 9113 8.2.1", marks=pytest.mark.rfc("9113", "8.2.1")),
        pytest.param([OK, ("server", "x\r\ny")], "RFC 9113 8.2.1", marks=pytest.mark.rfc("9113", "8.2.1")),
        pytest.param(
            [OK, ("content-length", "1"), ("content-length", "2")], "differ", marks=pytest.mark.rfc("9110", "8.6")
        ),
        pytest.param([OK, ("content-length", "1, 1")], "RFC 9110 8.6", marks=pytest.mark.rfc("9110", "8.6")),
    ],
)
def test_section_that_breaks_a_rule_names_it(pairs, rule):
    assert rule in section_of(*pairs).error


@pytest.mark.rfc("9113", "8.1")
def test_section_of_trailers_with_pseudo_header_is_broken():
    assert "RFC 9113 8.1" in section_of(OK, trailers=True).error


@pytest.mark.rfc("9110", "8.6")
def test_section_with_content_length_repeated_is_whole():
    section = section_of(OK, ("content-length", "5"), ("content-length", "5"))
    assert (section.error, section.content_length) == ("", 5)


def test_section_broken_twice_names_the_first_rule():
    section = section_of(OK, ("upgrade", "h2c"), ("A", ""))
    assert "upgrade" in section.error


@pytest.mark.rfc("9113", "10.5.1")
def test_section_of_exactly_the_limit_is_stored_and_one_octet_more_is_not():
    size = 7 + 3 + 32 + 1 + 1 + 32
    at = section_of(OK, ("a", "1"), limit=size)
    assert (at.overflow, at.pairs) == (False, [("a", "1")])
    past = section_of(OK, ("a", "1"), limit=size - 1)
    assert (past.overflow, past.pairs, past.size) == (True, [], size)


def test_section_past_the_limit_stores_nothing_more_and_goes_on_counting():
    section = section_of(OK, ("a", "x" * 100), ("b", ""), ("content-length", "3"), limit=120)
    assert section.overflow
    assert section.pairs == []
    assert section.size == 42 + 133 + 33 + 47
