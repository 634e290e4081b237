"""``content=`` of an open file: sent in blocks from where it stands, announced, and sent again; in both clients."""

from __future__ import annotations

import gzip
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deuterium import LocalProtocolError, Request, StreamConsumed
from deuterium._http.open_file import BLOCK
from integration.faces import FACES, Face, face_of
from servers.inprocess import answer, content_of, fields_of, serving

SIZES = (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 10 * BLOCK + 7)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Echoes, with the content-length that was announced; ``/again`` wants the content elsewhere."""
    if scope["type"] != "http":
        return
    content = await content_of(receive)
    if scope["path"] == "/again":
        await answer(send, status=307, fields=(("location", "/echo"),))
    else:
        await answer(send, content, fields=(("x-announced", fields_of(scope).get("content-length", "none")),))


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with serving(app) as url:
        yield url


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest, base: str) -> Iterator[Face]:
    with face_of(request.param, base_url=base, follow_redirects=True) as face:
        yield face


class Recorded(io.BytesIO):
    """Notes what it is asked for, and cannot be iterated."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.asked: list[int | None] = []

    def read(self, size: int | None = -1) -> bytes:
        self.asked.append(size)
        return super().read(size)

    def __next__(self) -> bytes:
        raise AssertionError("iterated by lines")


class Unseekable(io.RawIOBase):
    """A file without a length and without a second chance; ``empty``: what it gives at its end."""

    def __init__(self, content: bytes, empty: bytes | None = b"") -> None:
        self.source = io.BytesIO(content)
        self.empty = empty

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> Any:
        return self.source.read(size) or self.empty


def sent(face: Face, file: Any, path: str = "/echo", **options: Any) -> tuple[bytes, str]:
    """What arrived of it, and the content-length it was announced with."""
    response = face.post(path, content=file, **options)
    assert (response.status_code, response.http_version) == (200, face.version)
    return response.content, response.headers["x-announced"]


@pytest.mark.parametrize("size", SIZES)
def test_file_of_each_size_arrives_whole_and_announced(face: Face, tmp_path: Path, size: int) -> None:
    path = tmp_path / "content.bin"
    path.write_bytes(os.urandom(size))
    with path.open("rb") as file:
        assert sent(face, file) == (path.read_bytes(), str(size))


def test_file_without_line_ends_is_read_in_blocks(face: Face) -> None:
    file = Recorded(bytes(2 * BLOCK + 5))
    assert sent(face, file) == (bytes(2 * BLOCK + 5), str(2 * BLOCK + 5))
    assert file.asked == [BLOCK, BLOCK, 5]


def test_file_read_in_part_is_sent_from_there_and_again_after_a_redirect(face: Face) -> None:
    file = io.BytesIO(b"heavy" + b"water" * BLOCK)
    file.seek(5)
    assert sent(face, file, "/again") == (b"water" * BLOCK, str(5 * BLOCK))


def test_file_that_cannot_seek_is_sent_once_and_unannounced(face: Face) -> None:
    assert sent(face, Unseekable(b"heavy water" * BLOCK)) == (b"heavy water" * BLOCK, "none")
    with pytest.raises(StreamConsumed):
        face.post("/again", content=Unseekable(b"heavy water"))


def test_text_file_is_sent_as_utf8_and_again(face: Face, tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_text("Schweres Wässer\n" * 10_000, encoding="latin-1")
    said = ("Schweres Wässer\n" * 10_000).encode()
    with path.open(encoding="latin-1") as file:
        assert sent(face, file, "/again") == (said, "none")
    with tempfile.NamedTemporaryFile("w+", encoding="latin-1") as wrapped:
        wrapped.write("Wässer")
        wrapped.seek(0)
        assert sent(face, wrapped) == ("Wässer".encode(), "none")


def test_compressed_file_is_announced_as_what_it_gives(face: Face, tmp_path: Path) -> None:
    path = tmp_path / "content.gz"
    path.write_bytes(gzip.compress(bytes(3 * BLOCK)))
    with gzip.open(path) as file:
        assert sent(face, file) == (bytes(3 * BLOCK), str(3 * BLOCK))


def test_file_sent_compressed_is_not_announced(face: Face) -> None:
    content, announced = sent(face, io.BytesIO(bytes(BLOCK)), compress="gzip")
    assert (gzip.decompress(content), announced) == (bytes(BLOCK), "none")


def test_file_that_shrank_is_an_error_and_one_that_grew_is_cut(face: Face) -> None:
    file = io.BytesIO(b"0123456789")
    request = face.client.build_request("POST", "/echo", content=file)
    file.truncate(9)
    with pytest.raises(LocalProtocolError, match="1 octets shorter"):
        face.send(request)
    grown = io.BytesIO(b"0123456789")
    request = face.client.build_request("POST", "/echo", content=grown)
    grown.seek(10)
    grown.write(b"more")
    assert face.send(request).content == b"0123456789"


def test_file_with_another_content_length_is_refused_unsent(face: Face) -> None:
    with pytest.raises(LocalProtocolError, match="content-length does not match"):
        face.post("/echo", content=io.BytesIO(b"0123456789"), headers={"content-length": "9"})
    assert sent(face, io.BytesIO(b"0123456789"), headers={"content-length": "10"}) == (b"0123456789", "10")


def test_file_that_cannot_be_read_raises_its_own_error_and_spares_the_next(face: Face, tmp_path: Path) -> None:
    closed = io.BytesIO(b"gone")
    closed.close()
    with pytest.raises(ValueError, match="closed"):
        face.post("/echo", content=closed)
    with (tmp_path / "out").open("wb") as file, pytest.raises(io.UnsupportedOperation):
        file.write(b"written only")
        file.seek(0)
        face.post("/echo", content=file)
    with pytest.raises(BlockingIOError):
        face.post("/echo", content=Unseekable(b"", None))
    assert sent(face, io.BytesIO(b"well")) == (b"well", "4")


def test_request_with_a_file_can_be_sent_twice_and_read(face: Face) -> None:
    request: Request = face.client.build_request("POST", "/echo", data=io.BytesIO(b"water"))
    assert [face.send(request).content for _ in range(2)] == [b"water", b"water"]
    assert request.read() == b"water"
    once = face.client.build_request("POST", "/echo", content=Unseekable(b"water"))
    assert face.send(once).content == b"water"
    with pytest.raises(StreamConsumed):
        face.send(once)
