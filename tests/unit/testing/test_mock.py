"""MockTransport: a function answers, and every rule above the connection holds."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import deuterium
import tasks
from deuterium import AsyncClient, Client, Request, RetryPolicy, Timeout
from deuterium.testing import MockTransport, Response
from unit.testing.faces import fetch, fetch_all

pytestmark = pytest.mark.every_loop

FACES = ("sync", "async", "trio")
URL = "https://example.org"
both = pytest.mark.parametrize("face", FACES)


def answered_async(handler: Callable[[Request], Response]) -> Any:
    async def answer(request: Request) -> Response:
        await tasks.sleep(0)
        return handler(request)

    return answer


@both
@pytest.mark.parametrize("wrap", [lambda handler: handler, answered_async], ids=["plain", "coroutine"])
def test_handler_sees_the_request_and_its_response_arrives(face: str, wrap: Any) -> None:
    def handler(request: Request) -> Response:
        assert request.headers["x-mine"] == "1"
        return Response(201, json={"target": request.target, "content": request.content.decode()})

    transport = MockTransport(wrap(handler))
    response = fetch(face, transport, "POST", URL + "/a?b=c", content=b"sent", headers={"x-mine": "1"})
    assert response.status_code == 201
    assert response.http_version == "HTTP/2"
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"target": "/a?b=c", "content": "sent"}


@both
def test_streamed_request_content_is_whole_for_the_handler(face: str) -> None:
    transport = MockTransport(lambda request: Response(content=request.content))
    response = fetch(face, transport, "PUT", URL, content=(b"x" * 1000 for _ in range(2000)))
    assert response.content == b"x" * 2_000_000


@both
def test_redirect_is_followed_and_drops_credentials_on_another_host(face: str) -> None:
    seen: list[tuple[str, bool]] = []

    def handler(request: Request) -> Response:
        seen.append((request.origin.host, "authorization" in request.headers))
        if request.origin.host == "example.org":
            return Response(302, headers={"location": "https://elsewhere.org/"})
        return Response(200)

    response = fetch(face, MockTransport(handler), "GET", URL, {"follow_redirects": True, "auth": ("me", "secret")})
    assert [hop.status_code for hop in response.history] == [302]
    assert seen == [("example.org", True), ("elsewhere.org", False)]


@both
def test_cookie_that_was_set_comes_back(face: str) -> None:
    def handler(request: Request) -> Response:
        return Response(headers={"set-cookie": "a=1"}, text=request.headers.get("cookie") or "none")

    answers = fetch_all(face, MockTransport(handler), [("GET", URL, {})] * 2)
    assert [answer.text for answer in answers] == ["none", "a=1"]


@both
def test_digest_authentication_answers_the_challenge(face: str) -> None:
    def handler(request: Request) -> Response:
        if "authorization" not in request.headers:
            return Response(401, headers={"www-authenticate": 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'})
        return Response(text=request.headers["authorization"].split()[0])

    response = fetch(face, MockTransport(handler), "GET", URL, auth=deuterium.DigestAuth("me", "secret"))
    assert response.text == "Digest"


@both
def test_coded_content_is_decoded(face: str) -> None:
    transport = MockTransport(lambda _: Response(headers={"content-encoding": "gzip"}, content=gzip.compress(b"plain")))
    assert fetch(face, transport, "GET", URL).content == b"plain"


@both
def test_request_is_sent_again_after_an_error_it_may_be_repeated_for(face: str) -> None:
    tries: list[str] = []

    def handler(request: Request) -> Response:
        tries.append(request.method)
        if len(tries) < 3:
            raise deuterium.ConnectError("refused", request_processed=False)
        return Response(text="third")

    assert fetch(face, MockTransport(handler), "POST", URL, {"retry": RetryPolicy(backoff_s=0)}).text == "third"
    assert tries == ["POST"] * 3


@both
def test_status_named_in_the_policy_is_retried(face: str) -> None:
    tries: list[int] = []

    def handler(request: Request) -> Response:
        tries.append(1)
        return Response(503 if len(tries) == 1 else 200)

    policy = RetryPolicy(statuses=frozenset({503}), backoff_s=0)
    assert fetch(face, MockTransport(handler), "GET", URL, {"retry": policy}).status_code == 200


@both
def test_hooks_are_called_with_request_and_response(face: str) -> None:
    seen: list[Any] = []
    hooks = {"request": [lambda request: seen.append(request.method)],
             "response": [lambda response: seen.append(response.status_code)]}
    fetch(face, MockTransport(lambda _: Response(204)), "GET", URL, {"event_hooks": hooks})
    assert seen == ["GET", 204]


@both
def test_exception_of_the_handler_reaches_the_caller(face: str) -> None:
    def handler(request: Request) -> Response:
        raise AssertionError("unexpected request")

    with pytest.raises(AssertionError, match="unexpected request"):
        fetch(face, MockTransport(handler), "GET", URL)


@both
def test_result_that_is_no_response_is_a_type_error(face: str) -> None:
    with pytest.raises(TypeError, match="returns a Response"):
        fetch(face, MockTransport(lambda _: 200), "GET", URL)  # type: ignore[arg-type,return-value]


@both
def test_content_length_one_too_many_and_exact(face: str) -> None:
    def handler(request: Request) -> Response:
        return Response(headers={"content-length": request.target[1:]}, content=b"four")

    assert fetch(face, MockTransport(handler), "GET", URL + "/4").content == b"four"
    for wrong in ("/5", "/3"):
        with pytest.raises(deuterium.RemoteProtocolError, match="content-length"):
            fetch(face, MockTransport(handler), "GET", URL + wrong)


@both
def test_head_has_fields_and_no_content(face: str) -> None:
    response = fetch(face, MockTransport(lambda _: Response(content=b"four")), "HEAD", URL)
    assert response.headers["content-length"] == "4"
    assert response.content == b""


@both
def test_early_hints_and_trailers_arrive(face: str) -> None:
    def handler(request: Request) -> Response:
        return Response(text="x", trailers={"x-sum": "1"}, early_hints=[{"link": "</a>"}])

    response = fetch(face, MockTransport(handler), "GET", URL)
    assert response.trailers["x-sum"] == "1"
    assert [hint["link"] for hint in response.early_hints] == ["</a>"]


def test_streamed_response_is_produced_as_it_is_read_sync() -> None:
    produced: list[int] = []

    def content() -> Iterator[bytes]:
        try:
            for number in range(100):
                produced.append(number)
                yield b"x" * 1000
        finally:
            produced.append(-1)

    with Client(transport=MockTransport(lambda _: Response(content=content()))) as client:
        with client.stream("GET", URL) as response:
            assert next(response.iter_raw()) == b"x" * 1000
            assert len(produced) < 4
        assert produced[-1] == -1  # closed with the response
        with client.stream("GET", URL) as response:
            assert len(response.read()) == 100_000


def test_streamed_response_waits_for_its_reader_async(arun: Any) -> None:
    produced: list[int] = []

    async def content() -> AsyncIterator[bytes]:
        for _ in range(1000):
            produced.append(1)
            yield b"x" * 1024

    async def run() -> None:
        transport = MockTransport(lambda _: Response(content=content()))
        async with AsyncClient(transport=transport) as client, client.stream("GET", URL) as response:
            await tasks.sleep(0.05)
            assert len(produced) <= 257  # 256 KiB under way
            assert len(await response.aread()) == 1000 * 1024

    arun(run())


def test_slow_handler_runs_into_the_read_timeout_async() -> None:
    async def handler(request: Request) -> Response:
        await tasks.sleep(5)
        return Response()

    with pytest.raises(deuterium.ReadTimeout):
        fetch("async", MockTransport(handler), "GET", URL, {"retry": RetryPolicy(attempts=1)}, timeout=0.05)


def test_slow_coroutine_runs_into_the_total_timeout_sync() -> None:
    async def handler(request: Request) -> Response:
        await tasks.sleep(5)
        return Response()

    begin = time.monotonic()
    with pytest.raises(deuterium.TotalTimeout):
        fetch("sync", MockTransport(handler), "GET", URL, timeout=Timeout(5, total=0.05))
    assert time.monotonic() - begin < 2


def test_plain_handler_runs_in_the_calling_thread_sync() -> None:
    transport = MockTransport(lambda _: Response(text=threading.current_thread().name))
    assert fetch("sync", transport, "GET", URL).text == threading.current_thread().name


def test_many_threads_are_answered_each_by_its_own() -> None:
    def handler(request: Request) -> Response:
        time.sleep(0.001)
        return Response(text=f"{request.target} {threading.current_thread().name}")

    wrong: list[str] = []
    with Client(transport=MockTransport(handler)) as client:

        def work(number: int) -> None:
            for turn in range(20):
                text = client.get(f"{URL}/{number}-{turn}").text
                if text != f"/{number}-{turn} {threading.current_thread().name}":
                    wrong.append(text)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_fetch_many_over_several_origins_gets_every_answer() -> None:
    urls = [f"https://host{number % 3}.org/{number}" for number in range(60)]
    with Client(transport=MockTransport(lambda request: Response(text=request.target))) as client:
        assert {response.text for response in client.fetch_many(urls, concurrency=7)} == {f"/{n}" for n in range(60)}


def test_cancelled_request_cancels_nothing_else_async(arun: Any) -> None:
    async def handler(request: Request) -> Response:
        await tasks.sleep(0.2)
        return Response(text="there")

    async def run() -> None:
        async with AsyncClient(transport=MockTransport(handler)) as client:
            first, second = (tasks.start(client.get(URL)) for _ in range(2))
            await tasks.sleep(0.05)
            first.cancel()
            assert (await second).text == "there"
            with pytest.raises(tasks.CancelledError):
                await first

    arun(run())


def test_response_that_another_client_received_can_be_returned() -> None:
    inner = fetch(
        "sync",
        MockTransport(lambda _: Response(headers={"content-encoding": "gzip"}, content=gzip.compress(b"plain"))),
        "GET",
        URL,
    )
    assert fetch("sync", MockTransport(lambda _: inner), "GET", URL).content == b"plain"


def test_response_alone_is_a_whole_response() -> None:
    response = Response(404, text="gone")
    assert isinstance(response, deuterium.Response)
    assert (response.status_code, response.text, response.is_client_error) == (404, "gone", True)
    with pytest.raises(deuterium.LocalProtocolError):
        Response(headers={"bad name": "x"})


def test_transport_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="transport takes"):
        Client(transport=object())


def test_statistics_show_in_process_connections(arun: Any) -> None:
    with Client(transport=MockTransport(lambda _: Response())) as client:
        client.get(URL)
        assert [(one.origin, one.requests) for one in client.stats().connections] == [(URL, 1)]

    async def run() -> None:
        async with AsyncClient(transport=MockTransport(lambda _: Response())) as client:
            await client.get(URL)
            assert [(one.origin, one.requests) for one in client.stats().connections] == [(URL, 1)]

    arun(run())
