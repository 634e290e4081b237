"""Both directions against two other implementations, with tables that change size on the way."""

import hpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jh2._hazmat import Decoder as Jh2Decoder
from jh2._hazmat import Encoder as Jh2Encoder

from deuterium._hpack.decoder import Decoder
from deuterium._hpack.encoder import Encoder
from deuterium._http.field_section import FieldSection

NAME = st.one_of(
    st.sampled_from(["accept", "cookie", "content-length", "x-a", "x-b", "etag", "server", "date", "vary"]),
    st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=40),
)
VALUE = st.one_of(
    st.sampled_from(
        ["", "200", "gzip, deflate", "text/html; charset=utf-8", "x" * 126, "~" * 127, "a" * 128]
    ),
    st.text(st.characters(max_codepoint=255), max_size=300),
)
FIELDS = st.lists(st.tuples(NAME, VALUE), max_size=12)
SIZES = st.sampled_from([0, 1, 31, 32, 64, 100, 500, 1000, 4095, 4096])
TURNS = st.lists(st.tuples(st.lists(SIZES, max_size=3), FIELDS), min_size=1, max_size=8)


def octets(pairs: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def decoded(decoder: Decoder, block: bytes) -> list[tuple[str, str]]:
    section = FieldSection()
    section.begin(1 << 24, True)
    data = bytearray(b"before" + block + b"behind")
    decoder.decode(data, 6, 6 + len(block), section)
    return section.pairs


def regular(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair in pairs if not pair[0].startswith(":")]


@given(TURNS)
def test_decoder_reads_what_hpack_wrote_with_size_changes(turns):
    encoder, decoder = hpack.Encoder(), Decoder()
    for sizes, pairs in turns:
        for size in sizes[:1]:
            encoder.header_table_size = size
            decoder.set_limit(size)
        assert decoded(decoder, encoder.encode(octets(pairs))) == pairs


@given(TURNS)
def test_decoder_reads_what_jh2_wrote_with_size_changes(turns):
    encoder, decoder = Jh2Encoder(), Decoder()
    for sizes, pairs in turns:
        for size in sizes[:1]:
            encoder.header_table_size = size
            decoder.set_limit(size)
        assert decoded(decoder, encoder.encode([(*pair, False) for pair in octets(pairs)])) == pairs


@pytest.mark.parametrize("other", [hpack.Decoder, Jh2Decoder])
def test_other_decoders_read_what_encoder_wrote_with_size_changes(other):
    @given(TURNS)
    @settings(max_examples=100)
    def check(turns):
        encoder, decoder = Encoder(), other()
        decoder.max_header_list_size = 1 << 24
        for sizes, pairs in turns:
            for size in sizes:
                encoder.set_peer_limit(size)
            if sizes:
                decoder.max_allowed_table_size = sizes[-1] if other is Jh2Decoder else max(sizes)
            read = decoder.decode(encoder.encode(pairs), raw=True)
            assert [(bytes(field[0]), bytes(field[1])) for field in read] == octets(pairs)

    check()


@given(TURNS)
def test_decoder_reads_what_encoder_wrote_with_size_changes(turns):
    encoder, decoder = Encoder(), Decoder()
    for sizes, pairs in turns:
        for size in sizes:
            encoder.set_peer_limit(size)
            decoder.set_limit(size)
        assert decoded(decoder, encoder.encode(pairs)) == pairs


@given(st.lists(st.tuples(st.sampled_from(["GET", "PUT"]), VALUE.filter(bool), SIZES, FIELDS), max_size=10))
def test_encode_request_repeated_and_changing_reads_back_whole(requests):
    encoder, decoder = Encoder(), hpack.Decoder()
    common = (("user-agent", "deuterium"), ("accept", "*/*"), ("authorization", "Basic eDp5"))
    for method, path, size, extra in requests:
        encoder.set_peer_limit(size)
        decoder.max_allowed_table_size = size
        for _ in range(3):
            block = encoder.encode_request(method, "https", "example.org", path, common, tuple(extra))
            head = [(":method", method), (":scheme", "https"), (":authority", "example.org"), (":path", path)]
            assert [tuple(field) for field in decoder.decode(block, raw=True)] == octets(
                [*head, *common, *extra]
            )
