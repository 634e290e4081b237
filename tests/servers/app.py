"""The ASGI application that hypercorn and granian serve to the tests."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from .content import SIZES, body, octets

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

MAX_BYTES = 64 * 1024 * 1024
CHUNK = 64 * 1024
BODILESS = frozenset({204, 304})


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Dispatch on the first segment of the path."""
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["type"] == "websocket":
        return await websocket(scope, receive, send)
    name, *arguments = scope["path"].lstrip("/").split("/")
    route = ROUTES.get(name)
    if scope["path"] in SIZES:
        await respond(scope, send, body(scope["path"]))
    elif route is None:
        await respond(scope, send, b"not here", status=404)
    else:
        await route(scope, receive, send, *arguments)
    return None


async def lifespan(receive: Receive, send: Send) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def websocket(scope: Scope, receive: Receive, send: Send) -> None:
    """``/refuse``: no WebSocket. ``/pour/{n}/{size}``: n messages at once. ``/close/{code}``: closed after the first
    message. Anything else: messages come back.
    """
    await receive()
    name, *arguments = scope["path"].lstrip("/").split("/")
    if name == "refuse":
        await send({"type": "websocket.close"})
        return
    facts = [(b"x-version", scope["http_version"].encode())]
    facts += [(b"x-cookie", value) for name, value in scope["headers"] if name == b"cookie"]
    subprotocol = next(iter(scope["subprotocols"]), None)
    await send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": facts})
    if name == "pour":
        for number in range(int(arguments[0])):
            await send({"type": "websocket.send", "bytes": octets(int(arguments[1]) + number)})
    while (message := await receive())["type"] == "websocket.receive":
        if name == "close":
            await send({"type": "websocket.close", "code": int(arguments[0]), "reason": "asked to"})
            return
        await send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})


async def respond(scope: Scope, send: Send, content: bytes, *, status: int = 200, headers: Headers = ()) -> None:
    """One complete response; none of its content for HEAD, 204 and 304."""
    fields = list(headers)
    if status not in BODILESS:
        fields.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": fields})
    if scope["method"] == "HEAD" or status in BODILESS:
        content = b""
    for start in range(0, len(content), CHUNK):
        await send({"type": "http.response.body", "body": content[start : start + CHUNK], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def chunks_of(receive: Receive) -> Any:
    """The request's content, chunk by chunk, as it arrives."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def bytes_(scope: Scope, receive: Receive, send: Send, size: str) -> None:
    """``/bytes/{n}``: n octets."""
    await respond(scope, send, octets(min(int(size), MAX_BYTES)))


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """``/echo``: the request's content, with its hash in ``x-body-sha256``."""
    content = b"".join([chunk async for chunk in chunks_of(receive)])
    digest = hashlib.sha256(content).hexdigest().encode()
    await respond(scope, send, content, headers=[(b"x-body-sha256", digest)])


async def digest(scope: Scope, receive: Receive, send: Send) -> None:
    """``/digest``: size and hash of the request's content, which is not kept."""
    size, sha256 = 0, hashlib.sha256()
    async for chunk in chunks_of(receive):
        size += len(chunk)
        sha256.update(chunk)
    await respond_json(scope, send, {"size": size, "sha256": sha256.hexdigest()})


async def pipe(scope: Scope, receive: Receive, send: Send) -> None:
    """``/pipe``: each chunk of the request's content goes back as soon as it arrives."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    async for chunk in chunks_of(receive):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def headers(scope: Scope, receive: Receive, send: Send) -> None:
    """``/headers``: what the server understood of the request."""
    pairs = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    request = {name: scope[name] for name in ("method", "path", "scheme", "http_version")}
    query = scope["query_string"].decode("latin-1")
    await respond_json(scope, send, {**request, "query_string": query, "headers": pairs})


async def status(scope: Scope, receive: Receive, send: Send, code: str) -> None:
    """``/status/{code}``: that status."""
    await respond(scope, send, f"status {code}".encode(), status=int(code))


async def slow(scope: Scope, receive: Receive, send: Send, seconds: str) -> None:
    """``/slow/{seconds}``: nothing for that long, then a response."""
    await asyncio.sleep(float(seconds))
    await respond(scope, send, b"at last")


async def stream(scope: Scope, receive: Receive, send: Send, chunks: str, size: str, delay_ms: str) -> None:
    """``/stream/{chunks}/{size}/{delay_ms}``: so many chunks with a pause after each, no content-length."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    block, pause_s = octets(int(size)), float(delay_ms) / 1000
    for _ in range(int(chunks)):
        await send({"type": "http.response.body", "body": block, "more_body": True})
        await asyncio.sleep(pause_s)
    await send({"type": "http.response.body", "body": b""})


async def trailers(scope: Scope, receive: Receive, send: Send) -> None:
    """``/trailers``: content, then a trailer section with its hash; 501 where the server cannot."""
    if "http.response.trailers" not in scope.get("extensions", {}):
        return await respond(scope, send, b"no trailers here", status=501)
    content = octets(1000)
    names = [(b"trailer", b"x-body-sha256")]
    await send({"type": "http.response.start", "status": 200, "headers": names, "trailers": True})
    await send({"type": "http.response.body", "body": content})
    section = [(b"x-body-sha256", hashlib.sha256(content).hexdigest().encode())]
    return await send({"type": "http.response.trailers", "headers": section, "more_trailers": False})


async def early_hints(scope: Scope, receive: Receive, send: Send) -> None:
    """``/early-hints``: a 103 with a link, then 200; 501 where the server cannot."""
    if "http.response.early_hint" not in scope.get("extensions", {}):
        return await respond(scope, send, b"no early hints here", status=501)
    await send({"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]})
    return await respond(scope, send, b"after the hint")


async def json_(scope: Scope, receive: Receive, send: Send) -> None:
    """``/json``: a small document."""
    await respond_json(scope, send, {"name": "deuterium", "mass": 2.014, "isotopes": [1, 2, 3]})


async def respond_json(scope: Scope, send: Send, document: object) -> None:
    content = json.dumps(document).encode()
    await respond(scope, send, content, headers=[(b"content-type", b"application/json")])


Route = Callable[..., Awaitable[None]]

ROUTES: dict[str, Route] = {
    "bytes": bytes_,
    "echo": echo,
    "digest": digest,
    "pipe": pipe,
    "headers": headers,
    "status": status,
    "slow": slow,
    "stream": stream,
    "trailers": trailers,
    "early-hints": early_hints,
    "json": json_,
}
