"""What the integration tests share: a client that trusts the servers, and requests that check themselves."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

from deuterium import AsyncClient, Response
from servers import Server
from servers.content import sha256

TIMEOUT_S = 10.0  # far above what any phase takes here, and below the keep-alive PING that could hide a lost wake-up


def client_for(server: Server, **options: Any) -> AsyncClient:
    """A client that trusts the server's authority and speaks HTTP/2 alone, in the clear with prior knowledge."""
    return AsyncClient(verify=server.ssl_context(), **{"http1": False, "timeout": TIMEOUT_S, **options})


async def get_document(client: AsyncClient, server: Server, path: str) -> Response:
    """Fetch one document and hold every fact of it."""
    response = await client.get(server.url(path))
    check_document(response, path)
    return response


def check_document(response: Response, path: str) -> None:
    """The response carries the whole document, over HTTP/2."""
    assert response.status_code == 200
    assert response.http_version == "HTTP/2"
    assert hashlib.sha256(response.content).hexdigest() == sha256(path)


async def pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    """The content as an asynchronous iterator of pieces of that size."""
    for start in range(0, len(content), size):
        yield content[start : start + size]
