"""Opening a WebSocket by either client: which protocol carries it, the handshake, and the end of the block."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from ._http.phases import NEVER
from ._net.loops import running_loop
from .config import USE_CLIENT_DEFAULT
from .errors import ExtendedConnectUnavailable, TotalTimeout
from .response import Response
from .websocket import AsyncWebSocket, WebSocket
from .websocket_session import INTERNAL_ERROR, MAX_MESSAGE, Handshake, http_url, takes_extended_connect


@asynccontextmanager
async def open_async(
    client: Any,
    url: Any,
    *,
    subprotocols: Iterable[str] = (),
    headers: Any = None,
    compression: bool = True,
    max_message: int = MAX_MESSAGE,
    timeout: Any = USE_CLIENT_DEFAULT,
    auth: Any = USE_CLIENT_DEFAULT,
    follow_redirects: bool | Any = USE_CLIENT_DEFAULT,
    **options: Any,
) -> AsyncIterator[AsyncWebSocket]:
    """``AsyncClient.websocket``."""
    options = {"timeout": timeout, **options}
    address = http_url(client.absolute(str(url)))

    async def attempt(upgrade: bool) -> tuple[Handshake, Response]:
        handshake = Handshake(upgrade, subprotocols, compression)
        request = client.websocket_request(handshake, address, headers, options)
        try:
            response = await client.send(request, stream=True, auth=auth, follow_redirects=follow_redirects)
        except TotalTimeout as error:
            raise client.websocket_timeout(request, error) from error
        return handshake, response

    if client.upgrades(address) or not await _takes_async(client, address):
        handshake, response = await attempt(True)
    else:
        try:
            handshake, response = await attempt(False)
        except ExtendedConnectUnavailable:
            handshake, response = await attempt(True)
    if not handshake.is_accepted(response):
        try:
            await response.aread()
        finally:
            await response.aclose()
        raise handshake.refusal(response)
    exchange = response._exchange
    exchange.deadline = NEVER  # it was that of the handshake
    try:
        websocket = AsyncWebSocket(running_loop(), response, handshake.session(response, max_message))
    except BaseException:
        await response.aclose()
        raise
    try:
        yield websocket
    except BaseException as error:
        if isinstance(error, Exception):
            await websocket.close(INTERNAL_ERROR)
        else:
            websocket.abort()
        raise
    else:
        await websocket.close()


@contextmanager
def open_sync(
    client: Any,
    url: Any,
    *,
    subprotocols: Iterable[str] = (),
    headers: Any = None,
    compression: bool = True,
    max_message: int = MAX_MESSAGE,
    timeout: Any = USE_CLIENT_DEFAULT,
    auth: Any = USE_CLIENT_DEFAULT,
    follow_redirects: bool | Any = USE_CLIENT_DEFAULT,
    **options: Any,
) -> Iterator[WebSocket]:
    """``Client.websocket``."""
    options = {"timeout": timeout, **options}
    address = http_url(client.absolute(str(url)))

    def attempt(upgrade: bool) -> tuple[Handshake, Response]:
        handshake = Handshake(upgrade, subprotocols, compression)
        request = client.websocket_request(handshake, address, headers, options)
        try:
            response = client.send(request, stream=True, auth=auth, follow_redirects=follow_redirects)
        except TotalTimeout as error:
            raise client.websocket_timeout(request, error) from error
        return handshake, response

    if client.upgrades(address) or not _takes_sync(client, address):
        handshake, response = attempt(True)
    else:
        try:
            handshake, response = attempt(False)
        except ExtendedConnectUnavailable:
            handshake, response = attempt(True)
    if not handshake.is_accepted(response):
        try:
            response.read()
        finally:
            response.close()
        raise handshake.refusal(response)
    exchange = response._exchange
    exchange.deadline = NEVER  # it was that of the handshake
    exchange.write_timeout = NEVER  # whoever sends keeps the time itself
    write_s = (response.request.timeout or client.timeout).write
    try:
        websocket = WebSocket(client._open().pool, response, handshake.session(response, max_message), write_s)
    except BaseException:
        response.close()
        raise
    try:
        yield websocket
    except BaseException as error:
        if isinstance(error, Exception):
            websocket.close(INTERNAL_ERROR)
        else:
            websocket.abort()
        raise
    else:
        websocket.close()


async def _takes_async(client: Any, address: str) -> bool:
    """The origin speaks HTTP/2 and takes extended CONNECT, as far as it has said."""
    await client.warm_up(address)
    return takes_extended_connect(client._sender.pool.routes.get(client.urls.split(address)[0].key))


def _takes_sync(client: Any, address: str) -> bool:
    """The same in a thread."""
    client.warm_up(address)
    pool = client._open().pool
    with pool.lock:
        return takes_extended_connect(pool.routes.get(client.urls.split(address)[0].key))
