"""Requests that need nothing but cookies take the plain path, and are what they were."""

from __future__ import annotations

from collections.abc import Iterator
from time import sleep, time
from typing import Any

import pytest

from deuterium import Cookies
from integration.faces import FACES, Face, face_of
from servers.inprocess import answer, fields_of, serving


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the cookies it got; ``/set`` sets one, ``/go`` sets one and sends elsewhere."""
    if scope["type"] != "http":
        return
    got = fields_of(scope).get("cookie", "").encode()
    if scope["path"] == "/set":
        await answer(send, got, fields=(("set-cookie", "id=7; Path=/"),))
    elif scope["path"] == "/go":
        await answer(send, got, 302, (("set-cookie", "id=8; Path=/"), ("location", "/end")))
    else:
        await answer(send, got)


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with serving(app) as url:
        yield url


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest, base: str) -> Iterator[Face]:
    with face_of(request.param, base_url=base) as face:
        yield face


def test_cookie_that_was_set_is_sent_from_then_on(face: Face) -> None:
    assert [face.get(path).text for path in ("/", "/set", "/a?b=c")] == ["", "", "id=7"]
    assert face.client._sender.is_plain()


def test_cookies_of_another_host_or_path_stay_behind(face: Face) -> None:
    face.client.cookies.set("a", "1", domain="other.example")
    face.client.cookies.set("b", "2", path="/deep")
    assert face.get("/").text == ""
    assert face.get("/deep/x").text == "b=2"


def test_cookie_goes_along_a_redirect_anew(face: Face) -> None:
    face.get("/set")
    response = face.get("/go", follow_redirects=True)
    assert response.text == "id=8"
    assert response.history[0].request.headers["cookie"] == "id=7"
    assert face.get("/").text == "id=8"


@pytest.mark.parametrize("name", FACES)
def test_cookies_among_the_default_fields_are_sent_alone(base: str, name: str) -> None:
    with face_of(name, base_url=base, headers={"cookie": "mine=1"}, cookies=Cookies({"a": "b"})) as face:
        assert face.get("/").text == "mine=1"
        assert face.get("/", headers={"x": "y"}).text == "mine=1"


def test_cookie_in_use_is_told_by_the_request(face: Face) -> None:
    face.client.cookies.set("a", "b")
    assert face.get("/").request.headers["cookie"] == "a=b"


def test_field_that_is_remembered_follows_every_change(face: Face, base: str) -> None:
    cookies = face.client.cookies

    def sent() -> list[str]:
        return [face.get("/").text for _ in range(3)]

    cookies.set("a", "1")
    assert sent() == ["a=1"] * 3
    cookies.set("a", "2")
    assert sent() == ["a=2"] * 3
    cookies.set("b", "3", path="/deep")
    assert sent() == ["a=2"] * 3
    assert [face.get("/deep/x").text for _ in range(2)] == ["b=3; a=2"] * 2
    assert sent() == ["a=2"] * 3
    cookies.delete("b")
    elsewhere = base.replace("127.0.0.1", "localhost")
    cookies.set("c", "4", domain="localhost")
    for _ in range(3):
        assert face.get(elsewhere + "/").text == "a=2; c=4"
        assert face.get("/").text == "a=2"
    cookies.delete("c")
    cookies.extract(["d=5; Max-Age=1"], "127.0.0.1", "/", secure=False, now=time())
    assert sent() == ["a=2; d=5"] * 3
    sleep(1.1)
    assert sent() == ["a=2"] * 3
    cookies.clear()
    assert sent() == [""] * 3
