"""Challenges taken apart, and digest answers as RFC 7616 computes them."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http.challenge import (
    ALGORITHMS,
    MAX_CHALLENGES,
    Challenge,
    answer,
    choose_digest,
    parse_challenges,
    parse_parameters,
)

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"


def fields(authorization: str) -> dict[str, str]:
    scheme, _, rest = authorization.partition(" ")
    assert scheme == "Digest"
    return parse_parameters(rest)


@pytest.mark.rfc("9110", "11.6.1")
@pytest.mark.parametrize(
    ("lines", "challenges"),
    [
        ([], []),
        ([""], []),
        (["Basic"], [Challenge("basic")]),
        (['Basic realm="a"'], [Challenge("basic", {"realm": "a"})]),
        (['BASIC REALM = "a, b=\\"c\\""'], [Challenge("basic", {"realm": 'a, b="c"'})]),
        (
            ['Basic realm="a", Digest realm=b,nonce="n", , qop="auth, auth-int", Negotiate'],
            [
                Challenge("basic", {"realm": "a"}),
                Challenge("digest", {"realm": "b", "nonce": "n", "qop": "auth, auth-int"}),
                Challenge("negotiate"),
            ],
        ),
        (["Negotiate", "NTLM"], [Challenge("negotiate"), Challenge("ntlm")]),
        (["Negotiate dG9rZW4=, Basic realm=x"], [Challenge("negotiate"), Challenge("basic", {"realm": "x"})]),
        (["Digest realm=a, realm=b"], [Challenge("digest", {"realm": "a"})]),
        (['Digest realm="a'], [Challenge("digest")]),
        (["=="], []),
        ([", ,Basic , "], [Challenge("basic")]),
    ],
)
def test_challenges_are_taken_apart(lines: list[str], challenges: list[Challenge]) -> None:
    assert parse_challenges(lines) == challenges


@given(st.text(st.characters(max_codepoint=255)))
def test_any_line_is_read_to_its_end(line: str) -> None:
    choose_digest(parse_challenges([line, "Digest " + line]))


def test_challenges_are_counted_up_to_a_limit() -> None:
    assert len(parse_challenges(["Basic realm=x, " * 1000] * 10)) == MAX_CHALLENGES


def test_long_hostile_line_is_read_in_linear_time() -> None:
    for piece in ('a="', "a=b,", "\\", 'a="\\', ", ", "a "):
        parse_challenges(["Digest " + piece * 100_000])


def digest_of(line: str) -> str:
    challenge = choose_digest(parse_challenges([line]))
    assert challenge is not None
    return answer(challenge, "Mufasa", "Circle of Life", "GET", "/dir/index.html", 1, CNONCE)


@pytest.mark.rfc("7616", "3.9.1")
@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_answer_is_that_of_the_example_in_the_rfc(algorithm: str, response: str) -> None:
    line = (
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        f'nonce="{NONCE}", opaque="{OPAQUE}"'
    )
    assert fields(digest_of(line)) == {
        "username": "Mufasa",
        "realm": "http-auth@example.org",
        "uri": "/dir/index.html",
        "algorithm": algorithm,
        "nonce": NONCE,
        "nc": "00000001",
        "cnonce": CNONCE,
        "qop": "auth",
        "response": response,
        "opaque": OPAQUE,
    }


def test_answer_without_qop_is_that_of_the_example_in_rfc_2617_without_it() -> None:
    challenge = choose_digest(
        parse_challenges(['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'])
    )
    assert challenge is not None
    found = fields(answer(challenge, "Mufasa", "Circle Of Life", "GET", "/dir/index.html", 1, "x"))
    assert found["response"] == "670fd8c2df070c60b045671b8b24ff02"
    assert set(found) == {"username", "realm", "nonce", "uri", "response"}


def sha512_256(text: str) -> str:
    return hashlib.new("sha512_256", text.encode()).hexdigest()


@pytest.mark.skipif("SHA-512-256" not in ALGORITHMS, reason="this OpenSSL has no SHA-512/256")
def test_answer_by_sha_512_256_with_session_and_hashed_name() -> None:
    line = f'Digest realm="api", qop=auth, algorithm=SHA-512-256-sess, nonce="{NONCE}", userhash=true, charset=UTF-8'
    challenge = choose_digest(parse_challenges([line]))
    assert challenge is not None
    found = fields(answer(challenge, "J\xe4s\xf8n", "Secret", "GET", "/doe.json", 0x1F, CNONCE))
    key = sha512_256("J\xe4s\xf8n:api:Secret")
    secret = sha512_256(f"{key}:{NONCE}:{CNONCE}")
    expected = sha512_256(f"{secret}:{NONCE}:0000001f:{CNONCE}:auth:{sha512_256('GET:/doe.json')}")
    assert found["response"] == expected
    assert found["username"] == sha512_256("J\xe4s\xf8n:api")
    assert (found["userhash"], found["nc"]) == ("true", "0000001f")


def test_name_outside_ascii_is_sent_as_the_server_can_read_it() -> None:
    for charset, shown in (("", 'username="J\xc3\xa4s"'), (", charset=UTF-8", "username*=UTF-8''J%C3%A4s")):
        challenge = choose_digest(parse_challenges([f"Digest realm=r, nonce=n{charset}"]))
        assert challenge is not None
        assert shown in answer(challenge, "J\xe4s", "p", "GET", "/", 1, "c")


def test_quotes_and_backslashes_come_back_as_they_went() -> None:
    challenge = choose_digest(parse_challenges([r'Digest realm="a\"b\\c", nonce="n\"", opaque="\\"']))
    assert challenge is not None
    found = fields(answer(challenge, 'me"\\', "p", "GET", '/"x"', 1, "c"))
    assert (found["realm"], found["nonce"], found["opaque"]) == ('a"b\\c', 'n"', "\\")
    assert (found["username"], found["uri"]) == ('me"\\', '/"x"')


def test_strongest_algorithm_is_chosen_whatever_the_order() -> None:
    lines = [f"Digest realm=r, nonce={name}, algorithm={name}" for name in ("md5", "SHA-256", "SHA-999")]
    for order in (lines, lines[::-1]):
        challenge = choose_digest(parse_challenges(order))
        assert challenge is not None
        assert challenge.algorithm == "SHA-256"


@pytest.mark.parametrize(
    "line",
    [
        "Basic realm=r",
        "Digest realm=r",
        "Digest nonce=n, algorithm=SHA-1",
        "Digest nonce=n, algorithm=-sess",
        "Digest nonce=n, qop=auth-int",
        'Digest nonce=n, realm="\x01"',
        'Digest nonce="\x7f"',
    ],
)
def test_challenge_that_cannot_be_answered_is_not_chosen(line: str) -> None:
    assert choose_digest(parse_challenges([line])) is None
