"""Every example of RFC 7541 appendix C."""

import pytest

from deuterium._hpack.decoder import Decoder
from deuterium._hpack.integers import decode_integer, encode_integer
from deuterium._http.field_section import FieldSection

CUSTOM = ("custom-key", "custom-header")
REQUEST_1 = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")]
REQUEST_2 = [*REQUEST_1, ("cache-control", "no-cache")]
REQUEST_3 = [
    (":method", "GET"),
    (":scheme", "https"),
    (":path", "/index.html"),
    (":authority", "www.example.com"),
    ("custom-key", "custom-value"),
]
PRIVATE = ("cache-control", "private")
DATE_21 = ("date", "Mon, 21 Oct 2013 20:13:21 GMT")
DATE_22 = ("date", "Mon, 21 Oct 2013 20:13:22 GMT")
LOCATION = ("location", "https://www.example.com")
GZIP = ("content-encoding", "gzip")
COOKIE = ("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1")
RESPONSE_1 = [(":status", "302"), PRIVATE, DATE_21, LOCATION]
RESPONSE_2 = [(":status", "307"), PRIVATE, DATE_21, LOCATION]
RESPONSE_3 = [(":status", "200"), PRIVATE, DATE_22, LOCATION, GZIP, COOKIE]

# (blocks with the fields, then the dynamic table and its size after each)
REQUEST_TABLES = [
    ([(":authority", "www.example.com")], 57),
    ([("cache-control", "no-cache"), (":authority", "www.example.com")], 110),
    (
        [("custom-key", "custom-value"), ("cache-control", "no-cache"), (":authority", "www.example.com")],
        164,
    ),
]
RESPONSE_TABLES = [
    ([LOCATION, DATE_21, PRIVATE, (":status", "302")], 222),
    ([(":status", "307"), LOCATION, DATE_21, PRIVATE], 222),
    ([COOKIE, GZIP, DATE_22], 215),
]
EXAMPLES = {
    "C.2.1": (4096, ["400a637573746f6d2d6b65790d637573746f6d2d686561646572"], [[CUSTOM]], [([CUSTOM], 55)]),
    "C.2.2": (4096, ["040c2f73616d706c652f70617468"], [[(":path", "/sample/path")]], [([], 0)]),
    "C.2.3": (4096, ["100870617373776f726406736563726574"], [[("password", "secret")]], [([], 0)]),
    "C.2.4": (4096, ["82"], [[(":method", "GET")]], [([], 0)]),
    "C.3": (
        4096,
        [
            "828684410f7777772e6578616d706c652e636f6d",
            "828684be58086e6f2d6361636865",
            "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
        ],
        [REQUEST_1, REQUEST_2, REQUEST_3],
        REQUEST_TABLES,
    ),
    "C.4": (
        4096,
        [
            "828684418cf1e3c2e5f23a6ba0ab90f4ff",
            "828684be5886a8eb10649cbf",
            "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
        ],
        [REQUEST_1, REQUEST_2, REQUEST_3],
        REQUEST_TABLES,
    ),
    "C.5": (
        256,
        [
            "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768"
            "747470733a2f2f7777772e6578616d706c652e636f6d",
            "4803333037c1c0bf",
            "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153"
            "444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
        ],
        [RESPONSE_1, RESPONSE_2, RESPONSE_3],
        RESPONSE_TABLES,
    ),
    "C.6": (
        256,
        [
            "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8"
            "e9ae82ae43d3",
            "4883640effc1c0bf",
            "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b"
            "3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
        ],
        [RESPONSE_1, RESPONSE_2, RESPONSE_3],
        RESPONSE_TABLES,
    ),
}


@pytest.mark.rfc("7541", "C.1")
@pytest.mark.parametrize(
    ("value", "prefix", "expected"),
    [(10, 0x1F, "0a"), (1337, 0x1F, "1f9a0a"), (42, 0xFF, "2a")],
)
def test_integer_of_appendix_c_is_written_and_read(value, prefix, expected):
    out = bytearray(8)
    end = encode_integer(out, 0, 0, prefix, value)
    assert out[:end].hex() == expected
    if end > 1:
        assert divmod(decode_integer(out, 1, end, prefix), 16) == (value, end - 1)


@pytest.mark.rfc("7541", "C.2", "C.3", "C.4", "C.5", "C.6")
@pytest.mark.parametrize("example", EXAMPLES)
def test_blocks_of_appendix_c_give_their_fields_and_tables(example):
    table_size, blocks, field_lists, tables = EXAMPLES[example]
    decoder = Decoder(table_size)
    section = FieldSection()
    for block, fields, (entries, size) in zip(blocks, field_lists, tables, strict=True):
        data = bytearray.fromhex(block)
        section.begin(1 << 16, False)
        decoder.decode(data, 0, len(data), section)
        assert section.pairs == [pair for pair in fields if not pair[0].startswith(":")]
        assert section.size == sum(len(name) + len(value) + 32 for name, value in fields)
        if fields[0][0] == ":status":
            assert section.status == int(fields[0][1])
        assert [field.pair for field in decoder.table.dynamic_fields()] == entries
        assert decoder.table.size == size
