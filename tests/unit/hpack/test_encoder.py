"""The encoder: which form a field takes, what is repeated, and the table's size."""

import hpack
import pytest

from deuterium._hpack.encoder import Encoder

COMMON = (("user-agent", "deuterium"), ("accept", "*/*"))


def request(encoder: Encoder, path: str = "/a", extra: tuple[tuple[str, str], ...] = ()) -> bytes:
    return encoder.encode_request("GET", "https", "example.org", path, COMMON, extra)


def test_encode_request_repeated_costs_indexes_and_the_path():
    encoder = Encoder()
    request(encoder)
    assert request(encoder, "/").hex() == "8287c084bfbe"
    assert request(encoder, "/a").hex() == "8287c004" + "022f61" + "bfbe"
    assert request(encoder, "/a") == request(encoder, "/a")


def test_encode_request_after_an_insertion_uses_the_new_indexes():
    encoder, decoder = Encoder(), hpack.Decoder()
    for extra in ((), (), (("x-a", "1"),), (), (("x-b", "2"),), (("x-a", "1"),), ()):
        fields = [tuple(field) for field in decoder.decode(request(encoder, extra=extra))]
        assert fields[4:] == [*COMMON, *extra]


def test_encode_request_once_more_reads_back_whatever_came_between():
    encoder, decoder = Encoder(), hpack.Decoder()
    request = ("GET", "https", "a.example", "/x", COMMON, ())

    def read(block: bytes) -> list[tuple[str, ...]]:
        return [tuple(field) for field in decoder.decode(block)]

    expected = read(encoder.encode_request(*request))
    assert read(encoder.encode_request(*request)) == expected
    assert read(encoder.encode_request(*request)) == expected
    for between in (
        lambda: encoder.encode_request("POST", "https", "a.example", "/x", COMMON, ()),
        lambda: encoder.encode_request("GET", "https", "a.example", "/y", COMMON, ()),
        lambda: encoder.encode_request("GET", "https", "b.example", "/x", COMMON, ()),
        lambda: encoder.encode_request("GET", "https", "a.example", "/x", COMMON, (("x-new", "1"),)),
        lambda: encoder.encode([("x-trailer", "1")]),
    ):
        read(between())
        assert read(encoder.encode_request(*request)) == expected
        assert read(encoder.encode_request(*request)) == expected
    encoder.set_peer_limit(100)
    assert read(encoder.encode_request(*request)) == expected
    assert read(encoder.encode_request(*request)) == expected


def test_encode_request_with_equal_but_other_common_fields_is_not_mistaken():
    encoder, decoder = Encoder(), hpack.Decoder()
    for value in ("1", "2", "1", "3", "3"):
        block = encoder.encode_request("GET", "https", "a", "/", (("x-a", value),), ())
        assert tuple(decoder.decode(block)[-1]) == ("x-a", value)


@pytest.mark.rfc("9113", "8.5")
def test_encode_request_connect_has_method_and_authority_only():
    block = Encoder().encode_request("CONNECT", "", "example.org:443", "", (), ())
    assert [tuple(field) for field in hpack.Decoder().decode(block)] == [
        (":method", "CONNECT"),
        (":authority", "example.org:443"),
    ]


@pytest.mark.rfc("8441", "4")
def test_encode_request_extended_connect_has_its_protocol():
    encoder, decoder = Encoder(), hpack.Decoder()
    for protocol in ("websocket", "websocket", ""):
        block = encoder.encode_request("CONNECT", "https", "a", "/chat", (), (), protocol=protocol)
        fields = [tuple(field) for field in decoder.decode(block)]
        assert ((":protocol", protocol) in fields) is bool(protocol)
        assert fields[-1] == (":path", "/chat")


def test_encode_request_path_is_never_inserted():
    encoder = Encoder()
    for number in range(100):
        request(encoder, f"/{number}")
    assert encoder.table.size == sum(32 + len(a) + len(b) for a, b in (*COMMON, (":authority", "example.org")))


@pytest.mark.rfc("7541", "7.1.3")
@pytest.mark.parametrize("name", ["authorization", "proxy-authorization", "cookie", "set-cookie"])
def test_encode_sensitive_field_is_never_indexed(name):
    encoder = Encoder()
    for _ in range(2):
        block = encoder.encode([(name, "secret")])
        assert block[0] & 0xF0 == 0x10
        assert not hpack.Decoder().decode(block)[0].indexable
    assert encoder.table.size == 0


@pytest.mark.rfc("7541", "7.1.3")
def test_encode_sensitive_names_are_the_callers_choice():
    encoder = Encoder(sensitive=frozenset({"x-key", "accept-encoding"}))
    assert encoder.encode([("x-key", "secret")])[0] == 0x10
    assert encoder.encode([("accept-encoding", "gzip, deflate")])[0] & 0xF0 == 0x10
    assert encoder.encode([("cookie", "a=1")])[0] & 0xC0 == 0x40


@pytest.mark.parametrize("name", ["content-length", "date", "etag", "if-none-match", "content-range"])
def test_encode_value_unlikely_to_repeat_is_not_inserted(name):
    encoder = Encoder()
    assert encoder.encode([(name, "123")])[0] & 0xF0 == 0
    assert encoder.table.size == 0


def test_encode_value_that_keeps_changing_is_inserted_once():
    encoder = Encoder()
    for number in range(50):
        encoder.encode([("x-request-id", str(number))])
    assert encoder.table.size == 32 + len("x-request-id") + 1


def test_encode_second_value_is_inserted_once_the_first_was_used_again():
    encoder = Encoder()
    encoder.encode([("x-a", "1"), ("x-a", "1"), ("x-a", "2")])
    assert encoder.encode([("x-a", "1"), ("x-a", "2")]).hex() == "bfbe"


def test_encode_field_of_a_quarter_of_the_table_is_inserted_and_larger_not():
    encoder = Encoder()
    encoder.encode([("x-a", "1" * (1024 - 32 - 3))])
    assert encoder.table.size == 1024
    encoder.encode([("x-b", "1" * (1024 - 32 - 3 + 1))])
    assert encoder.table.size == 1024


@pytest.mark.rfc("7541", "5.2")
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 129, 254, 255, 5000, 70000])
@pytest.mark.parametrize("octet", ["0", "~", "\xff"])
def test_encode_string_of_each_length_reads_back_and_is_never_longer_than_plain(size, octet):
    block = Encoder().encode([("date", octet * size)])
    decoder = hpack.Decoder(max_header_list_size=1 << 20)
    assert bytes(decoder.decode(block, raw=True)[0][1]) == (octet * size).encode("latin-1")
    plain = 0 if size < 127 else 1 if size < 127 + 128 else 2 if size < 127 + 2**14 else 3
    assert len(block) <= 2 + 1 + plain + size


@pytest.mark.rfc("7541", "4.2")
def test_encode_after_the_peer_limited_the_table_begins_with_the_size():
    encoder = Encoder()
    encoder.set_peer_limit(100)
    assert request(encoder, "/").hex().startswith("3f45")
    assert not request(encoder, "/").hex().startswith("3f")


@pytest.mark.rfc("7541", "4.2")
def test_encode_after_the_limit_went_down_and_up_begins_with_the_lowest():
    encoder = Encoder()
    for size in (1000, 0, 4096):
        encoder.set_peer_limit(size)
    assert encoder.encode([]).hex() == "20" + "3fe11f"
    assert encoder.encode([]).hex() == ""


def test_encode_with_the_limit_unchanged_or_above_our_own_says_nothing():
    encoder = Encoder()
    encoder.set_peer_limit(4096)
    encoder.set_peer_limit(65536)
    encoder.set_peer_limit(2**32 - 1)
    assert encoder.encode([]) == b""
    assert encoder.table.max_size == 4096


def test_encode_with_an_own_limit_below_the_default_announces_it():
    encoder = Encoder(256)
    assert encoder.encode([]).hex() == "3fe101"
    assert encoder.table.max_size == 256


def test_encode_with_an_own_limit_above_the_default_waits_for_the_peer():
    encoder = Encoder(8192)
    assert encoder.encode([]) == b""
    encoder.set_peer_limit(65536)
    assert encoder.encode([]).hex() == "3fe13f"
    assert encoder.table.max_size == 8192


def test_encode_with_a_table_of_nothing_reads_back():
    encoder, decoder = Encoder(0), hpack.Decoder()
    for _ in range(3):
        assert len(decoder.decode(request(encoder))) == 6
    assert encoder.table.size == 0


def test_encode_that_fails_halfway_leaves_both_tables_equal():
    encoder, decoder = Encoder(), hpack.Decoder()
    decoder.decode(request(encoder))
    with pytest.raises(UnicodeEncodeError):
        request(encoder, extra=(("x-new", "1"), ("x-bad", "\u0100")))
    with pytest.raises(UnicodeEncodeError):
        encoder.encode([("x-other", "1"), ("x-bad", "\u0100")])
    for _ in range(3):
        fields = [tuple(field) for field in decoder.decode(request(encoder, extra=(("x-new", "1"),)))]
        assert fields[3:] == [(":path", "/a"), *COMMON, ("x-new", "1")]


def test_encode_between_requests_leaves_their_head_right():
    encoder, decoder = Encoder(), hpack.Decoder()
    expected = [tuple(field) for field in decoder.decode(request(encoder))]
    for _ in range(3):
        decoder.decode(encoder.encode([("date", "x" * 100)]))
        assert [tuple(field) for field in decoder.decode(request(encoder))] == expected


def test_encode_after_a_very_large_section_reads_back():
    encoder, decoder = Encoder(), hpack.Decoder(max_header_list_size=1 << 20)
    for value in ("x", "y" * 200_000, "x", "x"):
        fields = [tuple(field) for field in decoder.decode(request(encoder, extra=(("date", value),)))]
        assert fields[-1] == ("date", value)
