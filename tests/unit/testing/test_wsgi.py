"""WSGITransport: an application answers in this process, in the thread that asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from wsgiref.validate import validator

import pytest

import tasks
from deuterium import AsyncClient, Client, StreamReset
from deuterium.testing import WSGITransport
from unit.testing.faces import fetch

pytestmark = pytest.mark.every_loop

both = pytest.mark.parametrize("face", ["sync", "async", "trio"])
URL = "http://app.test"


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("201 Created", [("Content-Type", "text/plain"), ("X-Path", environ["PATH_INFO"])])
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read(length)]


@both
def test_application_answers_and_keeps_to_the_protocol(face: str) -> None:
    response = fetch(face, WSGITransport(validator(echo)), "POST", URL + "/a%20b?c", content=b"sent")
    assert (response.status_code, response.text, response.headers["x-path"]) == (201, "POST sent", "/a b")


@both
def test_streamed_request_content_has_a_length(face: str) -> None:
    response = fetch(face, WSGITransport(echo), "PUT", URL, content=(b"x" * 500 for _ in range(2000)))
    assert len(response.content) == 4 + 1_000_000


@both
def test_environment_is_what_a_server_makes(face: str) -> None:
    seen: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ)
        start_response("200 OK", [])
        return []

    fetch(face, WSGITransport(app, script_name="/mount"), "GET", "https://app.test:8443/x?y=z", headers={"x-mine": "1"})
    (environ,) = seen
    assert (environ["SCRIPT_NAME"], environ["QUERY_STRING"], environ["HTTP_X_MINE"]) == ("/mount", "y=z", "1")
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("app.test", "8443")
    assert environ["HTTP_HOST"] == "app.test:8443"
    assert environ["wsgi.url_scheme"] == "https"


@both
def test_write_goes_before_what_is_returned(face: str) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])
        write(b"one ")
        return [b"two"]

    assert fetch(face, WSGITransport(app), "GET", URL).content == b"one two"


def failing(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/late":
        yield b"half"
    raise ZeroDivisionError("a bug")


@both
@pytest.mark.parametrize("path", ["/early", "/late"])
def test_exception_of_the_application_is_raised(face: str, path: str) -> None:
    with pytest.raises(ZeroDivisionError, match="a bug"):
        fetch(face, WSGITransport(failing), "GET", URL + path)


@both
def test_exception_becomes_500_or_a_reset_when_asked(face: str) -> None:
    transport = WSGITransport(failing, raise_app_exceptions=False)
    assert fetch(face, transport, "GET", URL + "/early").status_code == 500
    with pytest.raises(StreamReset):
        fetch(face, transport, "GET", URL + "/late")


class Counted:
    """A response of 100 pieces that knows how far it was read and that it was closed."""

    def __init__(self) -> None:
        self.produced = 0
        self.closed = 0
        self.thread = ""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Counted:
        start_response("200 OK", [])
        self.thread = threading.current_thread().name
        return self

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(100):
            self.produced += 1
            yield b"x" * 16384

    def close(self) -> None:
        self.closed += 1


def test_response_streams_in_the_calling_thread_and_is_closed() -> None:
    app = Counted()
    with Client(transport=WSGITransport(app)) as client, client.stream("GET", URL) as response:
        assert len(next(response.iter_raw())) == 16384
        assert app.produced < 4
    assert (app.closed, app.thread) == (1, threading.current_thread().name)


def test_response_waits_for_its_reader_and_is_closed_async(arun: Any) -> None:
    async def run() -> None:
        app = Counted()
        async with AsyncClient(transport=WSGITransport(app)) as client:
            async with client.stream("GET", URL) as response:
                async for _ in response.aiter_raw():
                    break
                await tasks.sleep(0.05)
                assert app.produced < 40
            await tasks.sleep(0.05)
        assert app.closed == 1

    arun(run())


@both
def test_start_response_that_was_not_called_is_an_error(face: str) -> None:
    with pytest.raises(RuntimeError, match="before it called start_response"):
        fetch(face, WSGITransport(lambda environ, start_response: [b"x"]), "GET", URL)
