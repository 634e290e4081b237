"""A real server on a loopback socket that answers as a test's script says, legal or not."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Self

from .._http2.constants import CONNECTION_PREFACE
from .._net.loops import running_loop
from .peer_connection import PeerConnection, PeerRequest
from .peer_http1 import Http1PeerConnection
from .peer_http2 import Http2PeerConnection
from .portal import Portal

INTERNAL_ERROR = 2

Script = Callable[[PeerRequest], Any]


def _answer_path(request: PeerRequest) -> None:
    request.respond(200, content=request.target.encode())


class ScriptedPeer:
    """Calls ``script(request)`` for every request as soon as its header section is here; without a script, answers
    with the request's target. The script may be ``async``; it then runs beside the others. It speaks HTTP/2, by prior
    knowledge or by ALPN, and HTTP/1.1, whichever the client begins with.

    ``ssl_context``: a server's, for TLS; its ALPN protocols decide what is spoken. ``settings``: the HTTP/2 settings to
    begin with, by number. ``on_connect(connection)``, sync or async, is called first for each connection.

    The peer runs on an event loop in a thread of its own, so it serves programs of any kind: ``with`` and ``async
    with`` both start and stop it. What a script raises is raised at the end of the block.

    >>> import deuterium
    >>> with ScriptedPeer(lambda request: request.respond(200, content=b"hi")) as peer, deuterium.Client() as client:
    ...     client.get(peer.url("/")).content
    b'hi'
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        ssl_context: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        settings: Mapping[int, int] | None = None,
        on_connect: Callable[[PeerConnection], Any] | None = None,
    ) -> None:
        self.script = script or _answer_path
        self.ssl_context = ssl_context
        self.host = host
        self.port = port
        self.settings: dict[int, int] = dict(settings or {})
        self.on_connect = on_connect
        self.connections: list[PeerConnection] = []  # all there were, the first one first
        self.requests: list[PeerRequest] = []  # in the order they came
        self.errors: list[BaseException] = []  # what scripts raised
        self._portal: Portal | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def url(self, path: str = "/", host: str = "") -> str:
        """The URL of a path here; ``host`` names the peer differently."""
        return f"http{'s' if self.ssl_context else ''}://{host or self.host}:{self.port}{path}"

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen; on the same port as before, if it was stopped."""
        self._portal = Portal()
        try:
            self._portal.call(self._listen())
        except BaseException:
            self._portal.close()
            raise

    def stop(self) -> None:
        """Stop listening and break every connection, as a crash does."""
        portal, self._portal = self._portal, None
        if portal is not None:
            portal.call(self._break_off())
            portal.close()

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the peer's loop and wait for its result: a test's way to say something by itself."""
        if self._portal is None:
            raise RuntimeError("the peer is not running")
        return self._portal.call(coroutine)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.stop()
        if error is None and self.errors:
            raise self.errors[0]

    async def __aenter__(self) -> Self:
        await running_loop().run_in_executor(None, self.start)
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        await running_loop().run_in_executor(None, self.stop)
        if error is None and self.errors:
            raise self.errors[0]

    # -- on the peer's loop ------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._accept, self.host, self.port, ssl=self.ssl_context, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _break_off(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        for connection in self.connections:
            connection.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        connection: PeerConnection | None = None
        try:
            with suppress(asyncio.IncompleteReadError, OSError):
                first = await self._first(reader)
                if first is None:
                    return
                kind = Http2PeerConnection if first == CONNECTION_PREFACE else Http1PeerConnection
                connection = kind(self, len(self.connections) + 1, reader, writer)
                self.connections.append(connection)
                connection.open()
                if self.on_connect is not None:
                    result = self.on_connect(connection)
                    if inspect.isawaitable(result):
                        await result
                await connection.serve(first)
        except asyncio.CancelledError:
            pass
        except Exception as error:
            self.errors.append(error)
        finally:
            writer.transport.abort()
            if connection is not None:
                connection.end()

    async def _first(self, reader: asyncio.StreamReader) -> bytes | None:
        """What tells HTTP/2 from HTTP/1.1: the preface, or as much as differs from it."""
        first = b""
        while CONNECTION_PREFACE.startswith(first) and len(first) < len(CONNECTION_PREFACE):
            octets = await reader.read(len(CONNECTION_PREFACE) - len(first))
            if not octets:
                return None
            first += octets
        return first

    def play(self, request: PeerRequest) -> None:
        """Have the script answer."""
        self.requests.append(request)
        try:
            result = self.script(request)
        except Exception as error:
            self._report(request, error)
            return
        if inspect.iscoroutine(result):
            task = asyncio.ensure_future(self._carry_on(request, result))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry_on(self, request: PeerRequest, coroutine: Coroutine[Any, Any, Any]) -> None:
        try:
            await coroutine
        except asyncio.CancelledError:
            pass
        except Exception as error:
            self._report(request, error)

    def _report(self, request: PeerRequest, error: BaseException) -> None:
        self.errors.append(error)
        if not request.answered:  # the client need not wait for its timeout
            request.reset(INTERNAL_ERROR)
