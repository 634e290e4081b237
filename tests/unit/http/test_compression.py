"""Request compression: what goes out is what any decoder reads."""

from __future__ import annotations

import gzip
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http.coding import decode_content
from deuterium._http.compression import Compressor, compress, iter_compressed

CODINGS = pytest.mark.parametrize("coding", ["gzip", "zstd"])


@CODINGS
@given(pieces=st.lists(st.binary(max_size=200), max_size=10))
def test_compressed_content_decodes_to_the_same(coding: str, pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    assert decode_content((coding,), compress(coding, content)) == content
    out = list(iter_compressed(coding, pieces))
    assert all(out)
    assert decode_content((coding,), b"".join(out)) == content


def test_gzip_content_is_the_same_each_time_and_read_by_the_standard_library() -> None:
    assert compress("gzip", b"heavy water" * 100) == compress("gzip", b"heavy water" * 100)
    assert gzip.decompress(compress("gzip", b"heavy water")) == b"heavy water"


@CODINGS
def test_content_is_compressed_as_it_comes(coding: str) -> None:
    piece = b"".join(i.to_bytes(4, "big") for i in range(50_000))
    compressor = Compressor(coding)
    assert sum(len(compressor.compress(piece)) for _ in range(5)) > 0


@pytest.mark.parametrize("coding", ["", "br", "GZIP", "identity"])
def test_other_coding_is_refused(coding: str) -> None:
    with pytest.raises(ValueError, match="gzip or zstd"):
        Compressor(coding)


def test_zstd_that_is_not_installed_is_named_with_its_remedy() -> None:
    program = (
        "import sys\nsys.modules.update(dict.fromkeys(['compression.zstd', 'backports.zstd']))\n"
        "from deuterium._http.compression import Compressor\n"
        "try: Compressor('zstd')\nexcept ValueError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "deuterium[zstd]" in done.stdout
