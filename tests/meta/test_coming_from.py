"""What docs/guide/coming-from.md says of Deuterium and no snippet there shows."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading

import pytest
import yarl

import deuterium
from deuterium.core import ClientCore
from deuterium.testing import MockTransport, PeerRequest, Response, ScriptedPeer

BASE = "https://example.org"


def client_of(**options: object) -> deuterium.Client:
    """A client whose server answers with what it saw."""

    def echo(request: deuterium.Request) -> Response:
        if request.url.path == "/old":
            return Response(302, headers={"location": "/new"})
        return Response(json={"target": request.url.raw_path_qs, "cookie": request.headers.get("cookie")})

    return deuterium.Client(transport=MockTransport(echo), base_url=BASE, **options)


def test_defaults_are_those_the_page_gives() -> None:
    timeout, limits, retry = deuterium.Timeout(), deuterium.Limits(), deuterium.RetryPolicy()
    assert (timeout.connect, timeout.read, timeout.write, timeout.pool, timeout.total) == (5.0, 5.0, 5.0, 5.0, None)
    assert deuterium.Timeout(connect=1.0).read == 5.0
    assert (limits.max_connections, limits.max_connections_per_host) == (100, None)
    assert (limits.keepalive_expiry, limits.max_connection_age) == (60.0, 3600.0)
    assert (retry.attempts, retry.budget_share, retry.statuses, retry.timeouts) == (3, 0.2, frozenset(), False)
    options = inspect.signature(ClientCore.__init__).parameters
    defaults = [options[name].default for name in ("http2", "follow_redirects", "max_redirects", "trust_env")]
    assert defaults == [True, False, 20, True]
    decoding = deuterium.DecodingLimits()
    assert (decoding.max_decoded_bytes, decoding.max_ratio, decoding.max_layers) == (1024**3, 200.0, 5)


def test_what_the_page_calls_missing_is_missing() -> None:
    names = ["URL", "QueryParams", "codes", "HTTPTransport", "MockTransport", "ASGITransport", "WSGITransport"]
    assert [name for name in names if hasattr(deuterium, name)] == []
    assert [name for name in ("ok", "raw") if hasattr(deuterium.Response, name)] == []
    assert not hasattr(deuterium.Client, "is_closed")
    with pytest.raises(TypeError):
        deuterium.Client(transport=object())
    with pytest.raises(TypeError):
        deuterium.Client(headers={"accept": None})
    assert not issubclass(deuterium.TimeoutException, TimeoutError)
    assert not issubclass(deuterium.InvalidURL, deuterium.HTTPError)


def test_what_the_page_calls_new_is_there() -> None:
    for kind in (deuterium.Client, deuterium.AsyncClient):
        names = ["fetch_many", "download", "sse", "websocket", "stats", "warm_up"]
        assert [name for name in names if not hasattr(kind, name)] == []
    names = ["iter_json", "iter_events", "trailers", "early_hints", "timings", "connection", "next_request"]
    assert [name for name in names if not hasattr(deuterium.Response, name)] == []


def test_params_and_cookies_of_a_request() -> None:
    with client_of(cookies={"jar": "1"}) as client:
        assert client.get("/a?x=1", params={"y": 2}).json() == {"target": "/a?x=1&y=2", "cookie": "jar=1"}
        assert client.get("/a", cookies={"own": "2"}).json()["cookie"] == "own=2"
        assert type(client.get("/a").url) is yarl.URL
        del client.headers["accept"]
        assert "accept" not in client.build_request("GET", "/").headers


def test_event_hooks_run_once_for_each_call_and_see_a_response_that_was_read() -> None:
    seen: list[str] = []
    hooks = {"request": [lambda r: seen.append(r.url.path)], "response": [lambda r: seen.append(r.text)]}
    with client_of(event_hooks=hooks, follow_redirects=True) as client:
        client.get("/old")
    assert seen == ["/old", '{"target":"/new","cookie":null}']


@pytest.mark.parametrize("url", ["https://u:p@example.org/", "http://127.1/", "https://example.org\\@evil.example/"])
def test_url_that_parsers_disagree_on_is_refused(url: str) -> None:
    with client_of() as client, pytest.raises(deuterium.InvalidURL):
        client.get(url)


def test_url_without_or_with_another_scheme_is_unsupported() -> None:
    with deuterium.Client() as client:
        for url in ("example.org", "ftp://example.org/"):
            with pytest.raises(deuterium.UnsupportedProtocol):
                client.get(url)


def test_json_looks_at_no_content_type_and_raises_the_error_of_its_library() -> None:
    texts = iter(["[1]", "[1"])
    with deuterium.Client(transport=MockTransport(lambda request: Response(text=next(texts)))) as client:
        assert client.get(BASE).json() == [1]
        with pytest.raises(json.JSONDecodeError):
            client.get(BASE).json()


def test_async_client_is_refused_on_a_second_loop_while_the_first_runs_and_goes_on_after_it() -> None:
    async def fetch(url: str) -> str:
        return (await client.get(url)).text

    async def elsewhere(url: str) -> str:
        await fetch(url)
        refused: list[BaseException] = []

        def other_loop() -> None:
            try:
                asyncio.run(fetch(url))
            except RuntimeError as error:
                refused.append(error)

        thread = threading.Thread(target=other_loop)
        thread.start()
        await asyncio.to_thread(thread.join)
        return str(refused[0])

    def script(request: PeerRequest) -> None:
        request.respond(200, content=b"hello")

    client = deuterium.AsyncClient(http1=False)
    with ScriptedPeer(script) as peer:
        assert "another event loop" in asyncio.run(elsewhere(peer.url("/")))
        assert asyncio.run(fetch(peer.url("/"))) == "hello"
