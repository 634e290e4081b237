"""Answers by a WSGI application, in this process."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from threading import Lock
from typing import Any
from urllib.parse import unquote_to_bytes

from .._net.loops import running_loop
from .engine import Visit
from .mock import content_complete, room
from .transport import InProcessTransport

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
Act = Callable[[Visit], object]


class WSGITransport(InProcessTransport):
    """Requests go to ``app``, a WSGI application (PEP 3333), in the thread that asks; under an AsyncClient, in worker
    threads. The request's content is read whole first; the response streams.

    ``raise_app_exceptions``: what the application raises is raised by the request; else it is answered with 500, or,
    once the response was begun, breaks it off. ``script_name`` and ``remote_addr`` are those of the environment;
    ``errors`` is its ``wsgi.errors``.
    """

    collects = True
    in_thread = True

    def __init__(
        self,
        app: Any,
        *,
        raise_app_exceptions: bool = True,
        script_name: str = "",
        remote_addr: str = "127.0.0.1",
        errors: Any = None,
    ) -> None:
        self.app: Application = app
        self.raise_app_exceptions = raise_app_exceptions
        self.script_name = script_name
        self.remote_addr = remote_addr
        self.errors = errors

    async def answer(self, visit: Visit) -> None:
        """One request on an event loop: each step in a worker thread, what it did carried out here."""
        await content_complete(visit)
        acts = self._acts(visit, visit.take_content())
        run = running_loop().run_in_executor
        turn = Lock()  # a worker thread may still be at a step when nobody waits for it any more

        def step() -> Act | None:
            with turn:
                return next(acts, None)

        def close() -> None:
            with turn:
                acts.close()

        try:
            while (act := await run(None, step)) is not None and not visit.over:
                act(visit)
                await room(visit)
        finally:
            await run(None, close)

    def steps(self, visit: Visit) -> Iterator[None]:
        """One request in the calling thread."""
        acts = self._acts(visit, visit.take_content())
        try:
            for act in acts:
                act(visit)
                yield
        finally:
            acts.close()

    def _acts(self, visit: Visit, content: bytes) -> Generator[Act, None, None]:
        """What to do with the visit, one after the other, as the application produces it."""
        begun = False
        try:
            for act in self._conversation(visit, content):
                begun = True
                yield act
        except Exception as error:
            if self.raise_app_exceptions:
                raise
            if begun:
                yield broken_off(error)
            else:
                yield server_error

    def _conversation(self, visit: Visit, content: bytes) -> Generator[Act, None, None]:
        answer = StartResponse()
        body = self.app(self._environment(visit, content), answer)
        started = False
        try:
            for piece in body:
                pieces, answer.written = [*answer.written, piece], []
                if not started and any(pieces):
                    started = True
                    yield answer.act()
                for octets in pieces:
                    if octets:
                        yield write(octets)
            if not started:
                yield answer.act()
            for octets in answer.written:
                yield write(octets)
            yield Visit.finish
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def _environment(self, visit: Visit, content: bytes) -> dict[str, Any]:
        exchange = visit.exchange
        origin: Any = exchange.origin
        path, _, query = exchange.path.partition("?")
        environment: dict[str, Any] = {
            "REQUEST_METHOD": exchange.method,
            "SCRIPT_NAME": self.script_name,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": origin.host,
            "SERVER_PORT": str(origin.port),
            "SERVER_PROTOCOL": "HTTP/2.0",
            "REMOTE_ADDR": self.remote_addr,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": exchange.scheme,
            "wsgi.input": io.BytesIO(content),
            "wsgi.errors": self.errors or sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in (("host", exchange.authority), *exchange.common, *exchange.extra):
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = f"HTTP_{key}"
            environment[key] = f"{environment[key]},{value}" if key in environment else value
        if content and "CONTENT_LENGTH" not in environment:
            environment["CONTENT_LENGTH"] = str(len(content))
        return environment

    def __repr__(self) -> str:
        return f"WSGITransport({self.app!r})"


class StartResponse:
    """``start_response``: keeps what the application said until its first content (PEP 3333)."""

    def __init__(self) -> None:
        self.said: tuple[int, list[tuple[str, str]]] | None = None
        self.sent = False
        self.written: list[bytes] = []

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        if exc_info is not None and self.sent:
            raise exc_info[1].with_traceback(exc_info[2])
        if exc_info is None and self.said is not None:
            raise RuntimeError("start_response was called twice")
        self.said = (int(status.split(" ", 1)[0]), list(headers))
        return self.written.append

    def act(self) -> Act:
        """Start the response."""
        if self.said is None:
            raise RuntimeError("the application returned content before it called start_response")
        self.sent = True
        status, headers = self.said

        def start(visit: Visit) -> None:
            visit.start(status, headers)

        return start


def write(octets: bytes) -> Act:
    """Send content."""

    def act(visit: Visit) -> None:
        visit.write(octets)

    return act


def broken_off(cause: Exception) -> Act:
    """End a response that was begun."""

    def act(visit: Visit) -> None:
        visit.break_off(cause)

    return act


def server_error(visit: Visit) -> None:
    """Answer that the application failed."""
    visit.answer_500()
