"""Looking for the answer before sleeping: it brings answers of servers that are near, and soon stops for slow ones."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from deuterium import AsyncClient, Client, TransportOptions
from servers import Fleet, content

REQUESTS = 40
IN_VAIN = 6  # of forty requests: the 1st, 3rd, 6th, 11th, 20th and 37th
SLOW_S = 0.01
PATIENT = TransportOptions(busy_poll_s=0.001)  # a busy machine answers late


def _serve(listener: socket.socket) -> None:
    sock, _ = listener.accept()
    with sock:
        asked = b""
        while octets := sock.recv(4096):
            asked += octets
            while b"\r\n\r\n" in asked:
                _, asked = asked.split(b"\r\n\r\n", 1)
                time.sleep(SLOW_S)
                sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


@contextmanager
def slow_server() -> Iterator[str]:
    """The URL of a server for one connection that thinks before it answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(5)


def poll_of(response: Any) -> Any:
    """The poll of the connection that brought it; None under trio."""
    carrier = response._exchange.carrier
    return getattr(carrier, "turn_poll", None) or getattr(carrier, "busy_poll", None)


@pytest.mark.parametrize(("name", "http2"), [("nghttpd", True), ("nginx", False)])
def test_answers_are_found_by_looking(fleet: Fleet, arun: Any, name: str, http2: bool) -> None:
    server = fleet.get(name)

    async def scenario() -> None:
        options: dict[str, Any] = {"http1": False} if http2 else {"http2": False}
        async with AsyncClient(verify=str(server.ca_file), transport=PATIENT, **options) as client:
            for _ in range(REQUESTS):
                response = await client.get(server.url("/1k"))
                assert response.content == content.body("/1k")
            poll = poll_of(response)
            if poll is not None:
                assert 0 < poll.answers <= poll.polls

    arun(scenario())


@pytest.mark.parametrize(("name", "http2"), [("nghttpd", True), ("nginx", False)])
def test_thread_finds_answers_by_looking(fleet: Fleet, name: str, http2: bool) -> None:
    server = fleet.get(name)
    options: dict[str, Any] = {"http1": False} if http2 else {"http2": False}
    with Client(verify=str(server.ca_file), transport=PATIENT, **options) as client:
        for _ in range(REQUESTS):
            response = client.get(server.url("/1k"))
            assert response.content == content.body("/1k")
        poll = poll_of(response)
        assert 0 < poll.answers <= poll.polls


def test_looking_for_a_slow_server_soon_stops(arun: Any) -> None:
    async def scenario(url: str) -> None:
        async with AsyncClient() as client:
            for _ in range(REQUESTS):
                response = await client.get(url)
                assert response.content == b"ok"
            poll = poll_of(response)
            if poll is not None:
                assert (poll.polls, poll.answers) == (IN_VAIN, 0)

    with slow_server() as url:
        arun(scenario(url))


def test_thread_that_looks_for_a_slow_server_soon_stops() -> None:
    with slow_server() as url, Client() as client:
        for _ in range(REQUESTS):
            response = client.get(url)
            assert response.content == b"ok"
        poll = poll_of(response)
        assert (poll.polls, poll.answers) == (IN_VAIN, 0)


def test_nobody_looks_when_told_not_to(fleet: Fleet, arun: Any) -> None:
    server = fleet.get("nghttpd")
    options: dict[str, Any] = {"verify": str(server.ca_file), "transport": TransportOptions(busy_poll_s=0)}

    async def scenario() -> None:
        async with AsyncClient(**options) as client:
            for _ in range(REQUESTS):
                response = await client.get(server.url("/100"))
            poll = poll_of(response)
            assert poll is None or poll.polls == 0

    arun(scenario())
    with Client(**options) as client:
        response = client.get(server.url("/100"))
        assert poll_of(response).polls == 0
