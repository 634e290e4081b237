"""An ASGI application of a test, served by a thread of the test process: HTTP/2 with prior knowledge, and HTTP/1.1."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


@contextmanager
def serving(application: Application, *, keep_alive_s: float = 5.0) -> Iterator[str]:
    """The base URL of ``application``, for the length of the block.

    An idle connection lasts ``keep_alive_s``; so does an HTTP/2 stream whose application raised.
    """
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    port = listener.getsockname()[1]
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]  # hypercorn closes it
    config.graceful_timeout = 0.1
    config.accesslog = config.errorlog = None
    config.include_date_header = False
    config.keep_alive_timeout = keep_alive_s
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve(application, config, shutdown_trigger=stop.wait))  # type: ignore[arg-type]

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


async def answer(
    send: Any, content: bytes = b"", status: int = 200, fields: tuple[tuple[str, str], ...] = ()
) -> None:
    """A whole response."""
    section = [(name.encode(), value.encode()) for name, value in fields]
    await send({"type": "http.response.start", "status": status, "headers": section})
    await send({"type": "http.response.body", "body": content})


async def content_of(receive: Any) -> bytes:
    """The whole content of a request."""
    content = b""
    while True:
        message = await receive()
        piece: bytes = message.get("body", b"")
        content += piece
        if not message.get("more_body", False):
            return content


def fields_of(scope: dict[str, Any]) -> dict[str, str]:
    """The request's fields."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
