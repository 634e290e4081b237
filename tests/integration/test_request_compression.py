"""Request content sent compressed, whole and piece by piece, over both clients and versions."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from deuterium import Client
from deuterium._http.coding import decode_content
from integration.faces import FACES, Face, face_of
from servers.content import octets
from servers.inprocess import answer, content_of, fields_of, serving

TEXT = b"heavy water " * 1000
DECODERS = {
    "gzip": lambda content: zlib.decompress(content, 31),
    "zstd": lambda content: decode_content(("zstd",), content),
    "": lambda content: content,
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Tells what came: coding, content-length, size as sent and the content decoded."""
    if scope["type"] != "http":
        return None
    if scope["path"] == "/307":
        await content_of(receive)
        return await answer(send, status=307, fields=(("location", "/"),))
    fields = fields_of(scope)
    content = await content_of(receive)
    coding = fields.get("content-encoding", "")
    told = {"coding": coding, "length": fields.get("content-length", ""), "size": len(content)}
    return await answer(send, DECODERS[coding](content), fields=(("x-told", json.dumps(told)),))


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with serving(app) as url:
        yield url


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest, base: str) -> Iterator[Face]:
    with face_of(request.param, base_url=base) as face:
        yield face


def told(response: Any) -> tuple[str, str, int]:
    facts = json.loads(response.headers["x-told"])
    return facts["coding"], facts["length"], facts["size"]


def pieces(face: Face, content: bytes, size: int = 1000) -> Any:
    """The content as an iterator of the kind the client takes."""
    cut = [content[at : at + size] for at in range(0, len(content), size)]
    if face.runner is None:
        return iter(cut)

    async def give() -> AsyncIterator[bytes]:
        for piece in cut:
            yield piece

    return give()


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_content_at_hand_is_sent_compressed_with_its_length(face: Face, coding: str) -> None:
    response = face.post("/", content=TEXT, compress=coding)
    found, length, size = told(response)
    assert (found, length) == (coding, str(size))
    assert size < len(TEXT) / 10
    assert response.content == TEXT


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_content_of_an_iterator_is_sent_compressed_without_a_length(face: Face, coding: str) -> None:
    fields = {"content-length": str(len(TEXT))}
    response = face.post("/", content=pieces(face, TEXT), compress=coding, headers=fields)
    found, length, size = told(response)
    assert (found, length) == (coding, "")
    assert size < len(TEXT) / 10
    assert response.content == TEXT


def test_content_of_ten_megabytes_comes_back_unchanged(face: Face) -> None:
    content = octets(10_000_000)
    assert face.post("/", content=pieces(face, content, 100_000), compress="gzip").content == content


def test_json_and_forms_are_compressed_too(face: Face) -> None:
    assert told(face.post("/", json={"a": "b" * 5000}, compress=True))[0] == "gzip"
    response = face.post("/", data={"a": "b"}, files={"f": ("n", TEXT)}, compress="zstd")
    assert told(response)[:2] == ("zstd", "")
    assert TEXT in response.content


def test_form_compressed_is_sent_again_after_a_redirect(face: Face) -> None:
    response = face.post("/307", files={"f": ("n", TEXT)}, compress="gzip", follow_redirects=True)
    assert told(response)[0] == "gzip"
    assert TEXT in response.content


@pytest.mark.parametrize(("size", "coding"), [(1023, ""), (1024, "gzip")])
def test_client_option_compresses_what_is_long_enough(base: str, size: int, coding: str) -> None:
    with Client(base_url=base, compress="gzip") as client:
        assert told(client.post("/", content=b"a" * size))[0] == coding
        assert told(client.post("/", content=b"a" * size, compress=False))[0] == ""
        assert told(client.get("/")) == ("", "", 0)


def test_client_option_leaves_alone_what_does_not_shrink(base: str) -> None:
    content = zlib.compress(octets(5000))
    with Client(base_url=base, compress="gzip") as client:
        assert told(client.post("/", content=content)) == ("", str(len(content)), len(content))
        assert told(client.post("/", content=content, compress="gzip"))[0] == "gzip"


def test_content_that_is_coded_already_is_left_alone(face: Face) -> None:
    content = zlib.compress(TEXT, wbits=31)
    response = face.post("/", content=content, compress="zstd", headers={"content-encoding": "gzip"})
    assert (told(response)[0], response.content) == ("gzip", TEXT)


@pytest.mark.parametrize("coding", ["br", "deflate", "identity", "x"])
def test_coding_there_is_not_is_refused(coding: str) -> None:
    with pytest.raises(ValueError, match="gzip or zstd"):
        Client(compress=coding)
    with Client() as client, pytest.raises(ValueError, match="gzip or zstd"):
        client.build_request("POST", "http://localhost/", content=b"a", compress=coding)
