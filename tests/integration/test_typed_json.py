"""JSON by another library, and as values of a type, over both clients and versions."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import orjson
import pytest

from deuterium import Client
from integration.faces import FACES, Face, face_of
from servers.inprocess import answer, content_of, serving

DOCUMENT = {"name": "deuterium", "mass": 2.014, "isotopes": [1, 2, 3]}


class Isotope(msgspec.Struct):
    name: str
    mass: float
    isotopes: list[int]


@dataclasses.dataclass
class Light:
    name: str


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    if scope["path"] == "/echo":
        await answer(send, await content_of(receive))
    elif scope["path"] == "/lines":
        await answer(send, b"".join(json.dumps({"name": str(number)}).encode() + b"\n" for number in range(3)))
    elif scope["path"] == "/events":
        await answer(send, b'data: {"name": "a"}\n\n')
    else:
        await answer(send, json.dumps(DOCUMENT).encode(), fields=(("content-type", "application/json"),))


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with serving(app) as url:
        yield url


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest, base: str) -> Iterator[Face]:
    with face_of(request.param, base_url=base) as face:
        yield face


def test_json_without_a_type_is_plain_values(face: Face) -> None:
    response = face.get("/json")
    assert response.http_version == face.version
    assert response.json() == DOCUMENT


def test_json_with_a_type_is_a_value_of_it(face: Face) -> None:
    response = face.get("/json")
    assert response.json(type=Isotope) == Isotope("deuterium", 2.014, [1, 2, 3])
    assert response.json(type=Light) == Light("deuterium")


def test_json_that_is_not_of_the_type_is_refused(face: Face) -> None:
    with pytest.raises(msgspec.ValidationError, match="Expected `array`"):
        face.get("/json").json(type=list[int])


def test_iter_json_with_a_type_gives_values_of_it(face: Face) -> None:
    found = face.stream_list("GET", "/lines", "iter_json", iteration={"type": Light})
    assert found == [Light("0"), Light("1"), Light("2")]
    assert face.stream_list("GET", "/lines", "iter_json") == [{"name": "0"}, {"name": "1"}, {"name": "2"}]


def test_event_data_with_a_type_is_a_value_of_it(face: Face) -> None:
    (event,) = face.stream_list("GET", "/events", "iter_events")
    assert event.json() == {"name": "a"}
    assert event.json(type=Light) == Light("a")


@pytest.mark.parametrize("library", [json, orjson, msgspec, msgspec.json], ids=["json", "orjson", "msgspec", "its"])
@pytest.mark.parametrize("name", FACES)
def test_json_codec_of_a_library_writes_and_reads(base: str, name: str, library: Any) -> None:
    with face_of(name, base_url=base, json_codec=library) as face:
        response = face.post("/echo", json=DOCUMENT)
        assert response.content == b'{"name":"deuterium","mass":2.014,"isotopes":[1,2,3]}'
        assert response.json() == DOCUMENT
        assert response.json(type=Isotope).isotopes == [1, 2, 3]
        assert response.request.headers["content-type"] == "application/json"


def test_json_functions_of_the_caller_are_used(base: str) -> None:
    with Client(
        base_url=base, json_dumps=lambda value: "[1]", json_loads=lambda content: {"name": content.decode()}
    ) as client:
        response = client.post("/echo", json={"a": 1})
        assert (response.content, response.json(), response.json(type=Light)) == (b"[1]", {"name": "[1]"}, Light("[1]"))


def test_json_codec_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="dumps and loads"):
        Client(json_codec=object())
