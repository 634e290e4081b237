"""Content codings: undone in bounded steps, limits on by default, hostile streams refused."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http.coding import (
    MAX_EMPTY_STREAMS,
    STEP,
    Decoder,
    accept_encoding,
    codings_to_undo,
    decode_content,
)
from deuterium._http.decompressors import find_coding, optional_module, zstd_library
from deuterium.config import KIB, MIB, DecodingLimits
from deuterium.errors import DecodingError

brotli: Any = optional_module("brotli") or optional_module("brotlicffi")
zstd: Any = zstd_library()


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


ENCODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstd.compress),
}
FORMS = pytest.mark.parametrize("form", ENCODERS)
ZSTD_CHECKED = zstd.compress(b"a", options={zstd.CompressionParameter.checksum_flag: 1})
UNLIMITED = DecodingLimits(max_decoded_bytes=None, max_ratio=None)


def pieces(decoder: Decoder, data: bytes, size: int) -> list[bytes]:
    """``data`` fed in pieces of ``size``, and finished."""
    out = [piece for at in range(0, len(data), size) for piece in decoder.iter_decode(data[at : at + size])]
    decoder.finish()
    return out


@FORMS
@given(content=st.binary(max_size=4096), size=st.integers(1, 4096), repeat=st.integers(1, 100))
def test_decoder_gives_back_what_was_encoded_however_it_is_cut(
    form: str, content: bytes, size: int, repeat: int
) -> None:
    name, encode = ENCODERS[form]
    encoded = encode(content * repeat)
    assert decode_content((name,), encoded) == content * repeat
    assert b"".join(pieces(Decoder((name,)), encoded, size)) == content * repeat


@FORMS
@pytest.mark.parametrize("max_length", [1, 100, 5000, STEP])
def test_decode_never_exceeds_the_length_asked_for(form: str, max_length: int) -> None:
    name, encode = ENCODERS[form]
    content = Random(3).randbytes(3000) + bytes(40_000)
    decoder = Decoder((name,))
    out = [decoder.decode(encode(content), max_length)]
    while not decoder.needs_input or out[-1]:
        out.append(decoder.decode(b"", max_length))
    decoder.finish()
    assert b"".join(out) == content
    assert max(map(len, out)) <= max_length


@pytest.mark.rfc("9110", "8.4")
def test_chain_of_five_codings_is_undone_and_of_six_refused() -> None:
    content = Random(1).randbytes(STEP * 2)
    codings = ("gzip", "br", "zstd", "deflate", "gzip")
    encoded = content
    for name in reversed(codings):
        encoded = ENCODERS[name][1](encoded)
    header = ", ".join(reversed(codings))
    assert codings_to_undo(header) == codings
    assert decode_content(codings, encoded) == content
    assert b"".join(pieces(Decoder(codings), encoded, 1000)) == content
    with pytest.raises(DecodingError, match="max_layers is 5"):
        Decoder(("gzip", *codings))


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        ("", ()),
        ("identity", ()),
        ("GZip", ("gzip",)),
        ("x-gzip", ("gzip",)),
        (" deflate ,, identity , gzip", ("gzip", "deflate")),
        ("compress", ()),
        ("gzip, compress", ()),
        ("compress, gzip", ("gzip",)),
        ("gzip;q=1", ()),
        ("gzip, " * 10_000, ("gzip",) * 10_000),
    ],
)
def test_codings_are_undone_from_the_last_to_the_first_unknown(header: str, codings: tuple[str, ...]) -> None:
    assert codings_to_undo(header) == codings


def test_accept_encoding_names_what_is_installed() -> None:
    assert accept_encoding() == "gzip, deflate, br, zstd"


@pytest.mark.parametrize(
    ("missing", "left"),
    [
        (["brotli", "brotlicffi"], "gzip, deflate, zstd"),
        (["compression.zstd", "backports.zstd"], "gzip, deflate, br"),
    ],
)
def test_accept_encoding_leaves_out_what_is_not_installed(missing: list[str], left: str) -> None:
    program = (
        f"import sys\nsys.modules.update(dict.fromkeys({missing!r}))\n"
        "from deuterium._http import coding\nprint(coding.accept_encoding())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == left


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_streams_behind_one_another_are_all_decoded(name: str) -> None:
    encode = ENCODERS[name][1]
    contents = [Random(i).randbytes(i * 70) for i in range(1, 40)]
    encoded = b"".join(map(encode, contents))
    assert decode_content((name,), encoded) == b"".join(contents)
    for size in (1, 3, 511):
        assert b"".join(pieces(Decoder((name,)), encoded, size)) == b"".join(contents)


def test_zstd_skippable_frame_is_skipped() -> None:
    skippable = b"\x5a\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"notes"
    encoded = skippable + zstd.compress(b"a") + skippable + zstd.compress(b"b")
    assert decode_content(("zstd",), encoded) == b"ab"


@pytest.mark.parametrize("form", ["gzip", "deflate", "raw deflate", "zstd"])
@pytest.mark.parametrize("junk", [b"\0", b"\0" * 1000, b"junk" * 10_000, b"\x1f", b"\x28\xb5\x2f"])
def test_octets_behind_the_end_that_begin_no_stream_are_skipped(form: str, junk: bytes) -> None:
    name, encode = ENCODERS[form]
    encoded = encode(b"heavy water") + junk
    assert decode_content((name,), encoded) == b"heavy water"
    assert b"".join(pieces(Decoder((name,)), encoded, 7)) == b"heavy water"


@pytest.mark.parametrize("size", [3, 1000])
def test_octets_behind_the_end_of_br_are_an_error(size: int) -> None:
    with pytest.raises(DecodingError, match="br"):
        pieces(Decoder(("br",)), brotli.compress(b"heavy water") + b"junk", size)


@FORMS
def test_stream_cut_anywhere_is_an_error(form: str) -> None:
    name, encode = ENCODERS[form]
    encoded = encode(Random(2).randbytes(50))
    for end in range(1, len(encoded)):
        with pytest.raises(DecodingError):
            decode_content((name,), encoded[:end])
        with pytest.raises(DecodingError):
            pieces(Decoder((name,)), encoded[:end], 1)


def test_second_gzip_member_cut_is_an_error() -> None:
    encoded = gzip.compress(b"one") + gzip.compress(b"two")
    with pytest.raises(DecodingError, match="ends before"):
        decode_content(("gzip",), encoded[:-1])


@FORMS
def test_no_octets_are_no_content(form: str) -> None:
    name = ENCODERS[form][0]
    assert decode_content((name, name), b"") == b""


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("gzip", b"not compressed"),
        ("gzip", gzip.compress(b"a")[:-8] + b"\0" * 8),  # checksum
        ("gzip", gzip.compress(b"a" * 100)[:-1] + b"\x01"),  # length
        ("gzip", b"\x1f\x8b\x09" + gzip.compress(b"a")[3:]),  # method
        ("deflate", b"not compressed"),
        ("deflate", zlib.compress(b"a")[:-1] + b"\0"),
        ("br", b"not compressed"),
        ("zstd", b"not compressed"),
        ("zstd", ZSTD_CHECKED[:-1] + b"\0"),
        ("gzip", gzip.compress(b"a") + b"\x1f\x8bjunk that looks like a member"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_malformed_stream_is_an_error_of_the_peer(name: str, encoded: bytes, size: int) -> None:
    with pytest.raises(DecodingError) as caught:
        pieces(Decoder((name,)), encoded, size)
    assert caught.value.initiator == "remote"


def test_zstd_window_of_8_mib_is_the_last_that_is_taken() -> None:
    content = Random(4).randbytes(10 * MIB)
    for log, legal in ((23, True), (24, False)):
        options = {zstd.CompressionParameter.window_log: log, zstd.CompressionParameter.content_size_flag: 0}
        compressor = zstd.ZstdCompressor(options=options)
        encoded = compressor.compress(content) + compressor.flush()
        if legal:
            assert decode_content(("zstd",), encoded) == content
        else:
            with pytest.raises(DecodingError):
                decode_content(("zstd",), encoded)


def test_decoded_octets_at_the_cap_pass_and_one_more_does_not() -> None:
    limits = DecodingLimits(max_decoded_bytes=1000)
    assert len(decode_content(("gzip",), gzip.compress(bytes(1000)), limits)) == 1000
    with pytest.raises(DecodingError, match="max_decoded_bytes") as caught:
        decode_content(("gzip",), gzip.compress(bytes(1001)), limits)
    assert caught.value.initiator == "library"


def test_ratio_is_not_looked_at_up_to_its_floor() -> None:
    floor = DecodingLimits().ratio_floor_bytes
    assert len(decode_content(("br",), brotli.compress(bytes(floor)))) == floor
    with pytest.raises(DecodingError, match="max_ratio"):
        decode_content(("br",), brotli.compress(bytes(floor + 1)))
    assert len(decode_content(("br",), brotli.compress(bytes(2 * floor)), UNLIMITED)) == 2 * floor


def test_ratio_at_the_limit_passes_and_above_it_does_not() -> None:
    encoded = gzip.compress(bytes(range(256)) * 400)
    ratio = 256 * 400 / len(encoded)
    assert decode_content(("gzip",), encoded, DecodingLimits(max_ratio=ratio + 0.01, ratio_floor_bytes=0))
    with pytest.raises(DecodingError, match="max_ratio"):
        decode_content(("gzip",), encoded, DecodingLimits(max_ratio=ratio - 0.01, ratio_floor_bytes=0))


def test_content_that_is_vast_only_between_two_codings_is_refused() -> None:
    empty_streams = gzip.compress(b"") * 50
    vast = gzip.compress(b"".join((empty_streams, gzip.compress(b"x"))) * 20_000)
    with pytest.raises(DecodingError, match="max_ratio"):
        decode_content(("gzip", "gzip"), vast, DecodingLimits(max_ratio=100, ratio_floor_bytes=MIB))


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_empty_streams_in_a_row_have_a_limit(name: str) -> None:
    encode = ENCODERS[name][1]
    assert decode_content((name,), encode(b"") * MAX_EMPTY_STREAMS) == b""
    with pytest.raises(DecodingError, match="empty streams"):
        decode_content((name,), encode(b"") * (MAX_EMPTY_STREAMS + 1))


BOMB = """
import resource, sys, zlib
from deuterium._http.coding import Decoder, decode_content
from deuterium.errors import DecodingError

mebibyte = bytes(1 << 20)
compressor = zlib.compressobj(9, wbits=-15)
block = compressor.compress(mebibyte) + compressor.flush(zlib.Z_FULL_FLUSH)
check = 0
for _ in range(512):
    check = zlib.crc32(mebibyte, check)
end = check.to_bytes(4, "little") + (512 << 20).to_bytes(4, "little")
bomb = b"\\x1f\\x8b\\x08" + bytes(6) + b"\\xff" + block * 512 + b"\\x03\\0" + end
assert len(bomb) < 540_000
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    if sys.argv[1] == "whole":
        decode_content(("gzip",), bomb)
    else:
        decoder = Decoder(("gzip",))
        for at in range(0, len(bomb), 16384):
            for piece in decoder.iter_decode(bomb[at : at + 16384]):
                pass
except DecodingError as error:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is asked of getrusage")
@pytest.mark.parametrize("way", ["whole", "pieces"])
def test_half_a_megabyte_that_decodes_to_512_ends_in_an_error_and_in_little_memory(way: str) -> None:
    done = subprocess.run([sys.executable, "-c", BOMB, way], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 32


def test_brotli_bomb_of_layers_ends_in_an_error() -> None:
    bomb = brotli.compress(brotli.compress(bytes(64 * MIB), quality=1))
    with pytest.raises(DecodingError, match="max_ratio"):
        decode_content(("br", "br"), bomb)


@pytest.mark.parametrize("max_length", [0, -1])
def test_length_that_would_mean_no_limit_is_refused(max_length: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Decoder(("gzip",)).decode(gzip.compress(b"a"), max_length)


def test_input_given_too_early_is_refused() -> None:
    decoder = Decoder(("gzip",))
    decoder.decode(gzip.compress(bytes(100 * KIB)), 10)
    with pytest.raises(RuntimeError, match="before the output"):
        decoder.decode(b"x")


def test_decoder_takes_memoryviews() -> None:
    content = Random(5).randbytes(100_000)
    for name, encode in ENCODERS.values():
        encoded = encode(content)
        assert b"".join(Decoder((name,)).iter_decode(memoryview(encoded))) == content


def test_unknown_coding_is_not_found() -> None:
    assert find_coding("compress") is None
    with pytest.raises(DecodingError, match="compress"):
        Decoder(("compress",))
    with pytest.raises(ValueError, match="no coding"):
        Decoder(())
