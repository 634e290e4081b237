"""A field line: what it is, and what is wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http.field import broken_rule, check_name, check_value, make_field
from deuterium._http.field_kind import (
    ALT_SVC,
    CONNECTION_SPECIFIC,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    LOCATION,
    MALFORMED,
    OTHER_PSEUDO,
    REGULAR,
    RETRY_AFTER,
    SET_COOKIE,
    STATUS,
)
from deuterium.errors import LocalProtocolError

TCHAR = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"


def test_field_keeps_name_value_and_pair_and_counts_octets():
    field = make_field("x-name", "é")
    assert (field.name, field.value, field.pair) == ("x-name", "é", ("x-name", "é"))
    assert (field.kind, field.number, field.size) == (REGULAR, -1, 6 + 1 + 32)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("set-cookie", SET_COOKIE),
        ("content-encoding", CONTENT_ENCODING),
        ("location", LOCATION),
        ("alt-svc", ALT_SVC),
        ("retry-after", RETRY_AFTER),
        ("x-anything", REGULAR),
        ("host", REGULAR),
    ],
)
def test_field_kind_of_a_known_name_is_its_bit(name, kind):
    assert make_field(name, "a").kind == kind


@pytest.mark.rfc("9113", "8.3")
@pytest.mark.parametrize("name", [":", ":path", ":Status", ":status ", ":\n"])
def test_field_other_pseudo_header_is_told_apart(name):
    assert make_field(name, "1").kind == OTHER_PSEUDO


@pytest.mark.rfc("9113", "8.2.2")
@pytest.mark.parametrize("name", ["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade", "te"])
def test_field_connection_specific_names_are_told_apart(name):
    field = make_field(name, "gzip")
    assert field.kind == CONNECTION_SPECIFIC
    assert "8.2.2" in broken_rule(field)


@pytest.mark.rfc("9113", "8.2.2")
def test_field_te_trailers_is_regular():
    assert make_field("te", "trailers").kind == REGULAR


@pytest.mark.rfc("9113", "8.2.1")
@pytest.mark.parametrize("octet", range(256))
def test_field_name_of_each_octet_is_a_lower_case_token_or_malformed(octet):
    character = chr(octet)
    for name in ("a" + character, "a" + character + "b"):
        field = make_field(name, "")
        assert field.kind == (REGULAR if character in TCHAR else MALFORMED)
        if field.kind:
            assert "8.2.1" in broken_rule(field)


def test_field_empty_or_wide_name_is_malformed():
    assert make_field("", "").kind == MALFORMED
    assert make_field("\u0101", "").kind == MALFORMED


@pytest.mark.rfc("9113", "8.2.1")
@pytest.mark.parametrize("octet", range(256))
def test_field_value_of_each_octet_is_kept_unless_nul_cr_lf(octet):
    field = make_field("a", "b" + chr(octet) + "c")
    assert field.kind == (MALFORMED if chr(octet) in "\0\r\n" else REGULAR)
    if field.kind:
        assert "NUL, CR or LF" in broken_rule(field)


@pytest.mark.rfc("9113", "8.2.1")
@pytest.mark.parametrize("value", [" a", "a ", "\ta", "a\t", " ", "\t"])
def test_field_value_with_whitespace_around_is_malformed(value):
    field = make_field("a", value)
    assert field.kind == MALFORMED
    assert "whitespace" in broken_rule(field)


@pytest.mark.parametrize("value", ["", "a b", "a\tb", "\xa0"])
def test_field_value_with_whitespace_inside_or_none_is_kept(value):
    assert make_field("a", value).kind == REGULAR


@pytest.mark.rfc("9113", "8.3.2")
@pytest.mark.parametrize(("value", "number"), [("100", 100), ("200", 200), ("999", 999)])
def test_status_of_three_digits_has_its_number(value, number):
    field = make_field(":status", value)
    assert (field.kind, field.number) == (STATUS, number)


@pytest.mark.rfc("9113", "8.3.2")
@pytest.mark.parametrize("value", ["", "1", "99", "099", "1000", "0200", "20x", "+20", "-20", "2 0", "\xb200", " 200"])
def test_status_of_anything_else_is_malformed(value):
    field = make_field(":status", value)
    assert (field.kind, field.number) == (STATUS | MALFORMED, -1)
    assert "8." in broken_rule(field)


@pytest.mark.rfc("9110", "8.6")
@pytest.mark.parametrize(("value", "number"), [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_content_length_up_to_18_digits_has_its_number(value, number):
    field = make_field("content-length", value)
    assert (field.kind, field.number) == (CONTENT_LENGTH, number)


@pytest.mark.rfc("9110", "8.6")
@pytest.mark.parametrize("value", ["", "1" * 19, "0" * 19, "-1", "+1", "1.0", "1, 1", "0x1", "1_0", "\u0663"])
def test_content_length_of_anything_else_is_malformed(value):
    field = make_field("content-length", value)
    assert (field.kind, field.number) == (CONTENT_LENGTH | MALFORMED, -1)
    assert "8.6" in broken_rule(field)


@pytest.mark.rfc("9110", "5.1")
@pytest.mark.parametrize("octet", range(256))
def test_check_name_accepts_tokens_of_either_case_only(octet):
    name = "a" + chr(octet)
    if octet < 128 and chr(octet).lower() in TCHAR:
        check_name(name)
    else:
        with pytest.raises(LocalProtocolError, match=r"RFC 9110 5\.1"):
            check_name(name)


@pytest.mark.parametrize("name", ["", ":path", "\u0101", "a b"])
def test_check_name_refuses_what_is_no_token(name):
    with pytest.raises(LocalProtocolError, match=r"RFC 9110 5\.1"):
        check_name(name)


@pytest.mark.rfc("9110", "5.5")
@pytest.mark.parametrize("octet", range(256))
def test_check_value_refuses_control_characters_only(octet):
    value = "a" + chr(octet) + "b"
    if octet == 9 or (octet >= 32 and octet != 127):
        check_value(value)
    else:
        with pytest.raises(LocalProtocolError, match=r"RFC 9110 5\.5"):
            check_value(value)


@pytest.mark.rfc("9110", "5.5")
@pytest.mark.parametrize("value", [" a", "a ", "\ta", "a\t", "\u0100", "a\r\nb: c"])
def test_check_value_refuses_whitespace_around_and_wide_characters(value):
    with pytest.raises(LocalProtocolError, match=r"RFC 9110 5\.5"):
        check_value(value)


def test_check_value_accepts_empty_and_obs_text():
    check_value("")
    check_value("\xff\x80")


@given(st.text(max_size=20), st.text(max_size=40))
def test_any_broken_field_has_an_explanation(name, value):
    field = make_field(name, value)
    if field.kind & (MALFORMED | CONNECTION_SPECIFIC):
        assert broken_rule(field).startswith("RFC 9")
    assert field.size == len(name) + len(value) + 32
