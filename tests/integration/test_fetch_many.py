"""fetch_many against every real server: each request is answered once, by its own content."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from integration.exchange import check_document, client_for
from servers import Server

pytestmark = pytest.mark.every_loop

PATHS = ["/100", "/1k", "/64k", "/empty"]


@pytest.mark.parametrize("concurrency", [1, 50, 1000])
def test_fetch_many_answers_each_request_once(server: Server, arun: Any, concurrency: int) -> None:
    urls = [server.url(path) for path in PATHS * 100]

    async def fetch() -> Counter[str]:
        seen: Counter[str] = Counter()
        async with client_for(server) as client:
            async for response in client.fetch_many(urls, concurrency=concurrency):
                path = response.request.url.path
                check_document(response, path)
                seen[path] += 1
        return seen

    assert arun(fetch()) == Counter(dict.fromkeys(PATHS, 100))


def test_fetch_many_left_early_spares_the_requests_that_follow(server: Server, arun: Any) -> None:
    async def fetch() -> None:
        async with client_for(server) as client:
            for _ in range(5):
                responses = client.fetch_many([server.url("/64k")] * 100, concurrency=20)
                async for response in responses:
                    check_document(response, "/64k")
                    break
                await responses.aclose()
            async for response in client.fetch_many([server.url("/1k")] * 50, concurrency=50):
                check_document(response, "/1k")

    arun(fetch())


def test_fetch_many_failure_is_yielded_in_its_place_when_asked(app_server: Server, arun: Any) -> None:
    urls = [app_server.url(path) for path in ("/100", "/slow/30", "/100")]

    async def fetch() -> list[str]:
        async with client_for(app_server, timeout=0.5) as client:
            results = client.fetch_many(urls, concurrency=3, return_exceptions=True)
            return sorted([type(result).__name__ async for result in results])

    assert arun(fetch()) == ["ReadTimeout", "Response", "Response"]
