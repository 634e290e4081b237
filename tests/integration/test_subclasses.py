"""A subclass of a client that has its own ``request`` or ``send`` sees every request, plain ones too."""

from __future__ import annotations

from typing import Any

import pytest

from deuterium import AsyncClient, Client, Request
from servers import Fleet


@pytest.mark.parametrize("verb", ["request", "send"])
def test_async_subclass_sees_every_request_through_its_verb(fleet: Fleet, arun: Any, verb: str) -> None:
    seen: list[str] = []

    class Requesting(AsyncClient):
        def request(self, method: str, url: Any, **options: Any) -> Any:
            seen.append(str(url))
            return super().request(method, url, **options)

    class Sending(AsyncClient):
        async def send(self, request: Request, **options: Any) -> Any:
            seen.append(str(request.url))
            return await super().send(request, **options)

    async def scenario() -> None:
        server = fleet.get("nghttpd")
        async with {"request": Requesting, "send": Sending}[verb](verify=str(server.ca_file)) as client:
            for _ in range(3):
                assert (await client.get(server.url("/1k"))).status_code == 200

    arun(scenario())
    assert len(seen) == 3


@pytest.mark.parametrize("verb", ["request", "send"])
def test_sync_subclass_sees_every_request_through_its_verb(fleet: Fleet, verb: str) -> None:
    seen: list[str] = []

    class Requesting(Client):
        def request(self, method: str, url: Any, **options: Any) -> Any:
            seen.append(str(url))
            return super().request(method, url, **options)

    class Sending(Client):
        def send(self, request: Request, **options: Any) -> Any:
            seen.append(str(request.url))
            return super().send(request, **options)

    server = fleet.get("nghttpd")
    with {"request": Requesting, "send": Sending}[verb](verify=str(server.ca_file)) as client:
        for _ in range(3):
            assert client.get(server.url("/1k")).status_code == 200
    assert len(seen) == 3
