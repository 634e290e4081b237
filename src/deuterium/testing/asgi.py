"""Answers by an ASGI application, in this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from .._net.loops import running_loop
from .._net.waiting import Signal, first_done
from ..errors import ConnectError
from .engine import Visit
from .lifespan import Lifespan
from .mock import room, until
from .transport import InProcessTransport

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

VERSIONS = {"version": "3.0", "spec_version": "2.4"}


class ASGITransport(InProcessTransport):
    """Requests go to ``app``, an ASGI 3 application; content streams both ways, and who stops reading disconnects.

    ``lifespan``: run the application's startup before the first request and its shutdown when the client is closed.
    ``raise_app_exceptions``: what the application raises is raised by the request; else it is answered with 500, or,
    once the response was begun, breaks it off. ``root_path`` and ``client`` are those of the scope. Under a sync
    Client the application runs on an event loop in a thread of its own.
    """

    def __init__(
        self,
        app: Any,
        *,
        lifespan: bool = False,
        raise_app_exceptions: bool = True,
        root_path: str = "",
        client: tuple[str, int] = ("127.0.0.1", 123),
    ) -> None:
        self.app: Application = app
        self.raise_app_exceptions = raise_app_exceptions
        self.root_path = root_path
        self.client = client
        self.state: dict[str, Any] = {}
        self._has_lifespan = lifespan

    def lifespan(self) -> Lifespan:
        """Startup and shutdown, if they were asked for."""
        return AppLifespan(self.app, self.state) if self._has_lifespan else Lifespan()

    async def answer(self, visit: Visit) -> None:
        """One request."""
        conversation = Conversation(visit)
        try:
            await self.app(self._scope(visit), conversation.receive, conversation.send)
            if not conversation.complete and not visit.over:
                raise RuntimeError("the application returned before its response was complete")
        except Exception as error:
            if self.raise_app_exceptions:
                raise
            if visit.started:
                visit.break_off(error)
            else:
                visit.answer_500()

    def _scope(self, visit: Visit) -> dict[str, Any]:
        exchange = visit.exchange
        origin: Any = exchange.origin
        path, _, query = exchange.path.partition("?")
        fields = [("host", exchange.authority), *exchange.common, *exchange.extra]
        return {
            "type": "http",
            "asgi": VERSIONS,
            "http_version": "2",
            "method": exchange.method,
            "scheme": exchange.scheme,
            "path": unquote(path),
            "raw_path": path.encode("ascii"),
            "query_string": query.encode("ascii"),
            "root_path": self.root_path,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields],
            "client": self.client,
            "server": (origin.host, origin.port),
            "state": dict(self.state),
            "extensions": {"http.response.trailers": {}, "http.response.early_hint": {}},
        }

    def __repr__(self) -> str:
        return f"ASGITransport({self.app!r})"


class Conversation:
    """``receive`` and ``send`` of one request."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.asked_all = False  # the application knows the end of the content
        self.trailers_follow = False
        self.trailers: list[tuple[str, str]] = []
        self.complete = False

    async def receive(self) -> Message:
        """The next event for the application."""
        visit = self.visit
        if not self.asked_all and not self.complete:
            await until(visit, lambda: visit.content_octets > 0 or visit.content_ended or visit.over)
            if not visit.over:
                body = visit.take_content()
                self.asked_all = visit.content_ended
                return {"type": "http.request", "body": body, "more_body": not self.asked_all}
        await until(visit, lambda: visit.over)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """The next event of the application."""
        visit = self.visit
        kind = message["type"]
        if self.complete:
            raise RuntimeError(f"{kind} after the response was complete")
        if kind == "http.response.start":
            self.trailers_follow = message.get("trailers", False)
            visit.start(message["status"], _text(message.get("headers", ())))
        elif kind == "http.response.body":
            await room(visit)
            visit.write(bytes(message.get("body", b"")))
            if not message.get("more_body", False) and not self.trailers_follow:
                self._finish()
        elif kind == "http.response.trailers":
            self.trailers += _text(message.get("headers", ()))
            if not message.get("more_trailers", False):
                self._finish()
        elif kind == "http.response.early_hint":
            visit.inform(103, [("link", bytes(link).decode("latin-1")) for link in message["links"]])
        else:
            raise RuntimeError(f"an event of type {kind!r} is not known here")

    def _finish(self) -> None:
        self.complete = True
        self.visit.finish(self.trailers)


class AppLifespan(Lifespan):
    """The lifespan protocol of ASGI, in a task of its own."""

    def __init__(self, app: Application, state: dict[str, Any]) -> None:
        self.app = app
        self.state = state
        self.loop: Any = None
        self.task: Any = None
        self.events: deque[Message] = deque()
        self.told: Any = None
        self.reply: Any = None  # a Future for what the application says next

    async def begin(self) -> None:
        """Startup. Raises ConnectError when the application says that it failed."""
        self.loop = running_loop()
        self.told = Signal(self.loop)
        self.reply = self.loop.create_future()
        self.task = self.loop.create_task(self._run())
        try:
            await self._say("startup")
        except BaseException:
            self.task.cancel()
            raise

    async def end(self) -> None:
        """Shutdown."""
        if self.task is not None and not self.task.done() and not self.task.cancelling():
            await self._say("shutdown")
            await self.task

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": VERSIONS, "state": self.state}
        await self.app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        while not self.events:
            self.told.clear()
            await self.told.wait()
        return self.events.popleft()

    async def _send(self, message: Message) -> None:
        if not self.reply.done():
            self.reply.set_result(message)

    async def _say(self, phase: str) -> None:
        self.events.append({"type": f"lifespan.{phase}"})
        self.told.set()
        await first_done(self.loop, (self.reply, self.task))
        if not self.reply.done():
            self.task.result()  # what the application raised
            return
        message = self.reply.result()
        self.reply = self.loop.create_future()
        if message["type"] == f"lifespan.{phase}.failed":
            raise ConnectError(
                f"the application's {phase} failed: {message.get('message', '')}", request_processed=False
            )


def _text(headers: Any) -> list[tuple[str, str]]:
    return [(bytes(name).decode("latin-1").lower(), bytes(value).decode("latin-1")) for name, value in headers]
