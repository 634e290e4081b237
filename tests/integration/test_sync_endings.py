"""What ends a thread's work with the client early: time, and close in another thread."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import deuterium
from deuterium import Client, Timeout
from servers import Fleet

ENDED = (deuterium.TransportError, RuntimeError)


@pytest.fixture(params=["h2", "h1"])
def client(request: pytest.FixtureRequest, fleet: Fleet) -> Iterator[Client]:
    server = fleet.get("hypercorn", tls=True)
    chosen = {"http1": False} if request.param == "h2" else {"http2": False}
    with Client(verify=str(server.ca_file), base_url=server.base_url, timeout=10, **chosen) as client:
        client.get("/json")
        yield client


def outcome_in_thread(work: Callable[[], Any]) -> tuple[threading.Thread, list[BaseException]]:
    """Starts ``work``; what it raises is in the list."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, raised


def close_while(client: Client, work: Callable[[], Any]) -> BaseException:
    """What ``work`` raises in its thread when this one closes the client."""
    thread, raised = outcome_in_thread(work)
    time.sleep(0.4)
    assert not raised, raised
    client.close()
    thread.join(5)
    assert not thread.is_alive()
    assert len(raised) == 1
    return raised[0]


def test_close_ends_a_response_that_another_thread_reads(client: Client) -> None:
    def work() -> None:
        with client.stream("GET", "/stream/100/10/200") as response:
            for _ in response.iter_bytes():
                pass

    assert isinstance(close_while(client, work), ENDED)


def test_close_ends_fetch_many_in_another_thread(client: Client) -> None:
    assert isinstance(close_while(client, lambda: list(client.fetch_many(["/slow/20"] * 3))), ENDED)


def test_close_ends_an_upload_in_another_thread(client: Client) -> None:
    def content() -> Iterator[bytes]:
        while True:
            time.sleep(0.02)
            yield bytes(1000)

    assert isinstance(close_while(client, lambda: client.post("/digest", content=content())), ENDED)


def test_close_twice_from_several_threads_is_harmless(client: Client) -> None:
    threads = [threading.Thread(target=client.close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    with pytest.raises(RuntimeError, match="closed"):
        client.get("/json")


def test_read_timeout_ends_a_stream_between_two_pieces(client: Client) -> None:
    began = time.monotonic()
    with client.stream("GET", "/stream/3/10/5000", timeout=Timeout(10, read=0.4)) as response:
        pieces = response.iter_bytes()
        assert next(pieces)
        with pytest.raises(deuterium.ReadTimeout):
            for _ in pieces:
                pass
    assert time.monotonic() - began < 3
    assert client.get("/json").status_code == 200


def test_total_timeout_ends_a_stream_that_goes_on_and_on(client: Client) -> None:
    began = time.monotonic()
    with (
        client.stream("GET", "/stream/500/10/20", timeout=Timeout(10, total=0.7)) as response,
        pytest.raises(deuterium.TotalTimeout),
    ):
        for _ in response.iter_bytes():
            pass
    assert 0.5 < time.monotonic() - began < 3
    assert client.get("/json").status_code == 200


def test_total_timeout_ends_each_request_of_fetch_many_by_itself(client: Client) -> None:
    client.timeout = Timeout(10, total=0.8)
    began = time.monotonic()
    results = list(client.fetch_many(["/slow/9", "/json", "/slow/0.2"], return_exceptions=True))
    assert sorted(type(result).__name__ for result in results) == ["Response", "Response", "TotalTimeout"]
    assert time.monotonic() - began < 3


def test_fetch_many_abandoned_half_way_disturbs_nobody(client: Client) -> None:
    many = client.fetch_many(iter(["/json"] * 50), concurrency=5)
    assert [next(many).status_code for _ in range(3)] == [200] * 3
    many.close()
    with pytest.raises(StopIteration):
        next(many)
    assert client.get("/json").status_code == 200


def test_wait_for_100_continue_past_the_write_timeout_takes_no_processor_time() -> None:
    """Content that is held back is not late (RFC 9110 section 10.1.1), and nobody spins until it is sent."""
    heard = bytearray()

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            while not heard.endswith(b"\r\n\r\nheld"):
                heard.extend(connection.recv(1000))
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with Client(http2=False, timeout=Timeout(5, write=0.1)) as client:
            used_s = time.thread_time()
            response = client.post(url, content=b"held", headers={"expect": "100-continue"})
            assert response.text == "ok"
            assert time.thread_time() - used_s < 0.2
    assert b"100-continue" in heard
