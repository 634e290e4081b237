"""The server that the snippets of the guide talk to as https://example.org: HTTP/2 and HTTP/1.1 over TLS."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import ssl
from base64 import b64encode
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import trustme

from deuterium.testing import PeerRequest, ScriptedPeer

LARGE: Final = bytes(range(256)) * 4096  # 1 MiB
ETAG: Final = '"v1"'
BASIC: Final = "Basic " + b64encode(b"harold:urey").decode()
TOKEN: Final = "Bearer secret"
USERS: Final = [{"id": 1, "name": "Harold"}, {"id": 2, "name": "Gilbert"}]
EVENTS: Final = b"id: 1\ndata: first\n\nid: 2\nevent: price\ndata: {\"usd\": 13}\n\n"


class GuideServer:
    """Routes by path; anything else answers with the path."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.routes: dict[str, Callable[[PeerRequest], Awaitable[None]]] = {
            "/users": self.users,
            "/echo": self.echo,
            "/upload": self.upload,
            "/large.bin": self.large,
            "/broken.bin": self.large,
            "/unsteady": self.unsteady,
            "/slow": self.slow,
            "/private": self.private,
            "/api": self.api,
            "/events": self.events,
            "/duplex": self.duplex,
        }
        self.answers: dict[str, dict[str, Any]] = {
            "/": {"headers": {"content-type": "text/plain"}, "content": b"hello"},
            "/users/1": _json(USERS[0]),
            "/missing": {"status": 404, "content": b"not here"},
            "/old": {"status": 302, "headers": {"location": "/new"}},
            "/loop": {"status": 302, "headers": {"location": "/loop"}},
            "/login": {"headers": [("set-cookie", "session=abc; Path=/; Secure; HttpOnly")]},
            "/token": {"content": b"secret"},
            "/latin": {"headers": {"content-type": "text/plain; charset=iso-8859-1"}, "content": b"caf\xe9"},
            "/page": {"headers": {"content-encoding": "gzip"}, "content": gzip.compress(b"<p>heavy water</p>" * 100)},
            "/bomb": {"headers": {"content-encoding": "gzip"}, "content": gzip.compress(bytes(16 * 1024 * 1024))},
            "/log.ndjson": {"content": b'{"level": 1}\n{"level": 2}\n{"level": 3}\n'},
            "/report": {"content": b"12 rows", "trailers": {"x-checksum": "9f"}},
        }

    async def __call__(self, request: PeerRequest) -> None:
        path = request.target.partition("?")[0]
        self.counts[path] += 1
        route = self.routes.get(path)
        if route is not None:
            await route(request)
            return
        await request.read()
        if path == "/report":
            request.inform(103, {"link": "</style.css>; rel=preload"})
        answer = dict(self.answers.get(path, {"content": path.encode()}))
        if request.method == "HEAD":
            answer["content"] = b""
        request.respond(answer.pop("status", 200), **answer)

    async def users(self, request: PeerRequest) -> None:
        content = await request.read()
        if request.method == "POST":
            request.respond(201, **_json({"id": 3, **json.loads(content)}))
        else:
            request.respond(200, **_json(USERS))

    async def echo(self, request: PeerRequest) -> None:
        content = await request.read()
        if request.headers.get("content-encoding") == "gzip":
            content = gzip.decompress(content)
        said = {
            "method": request.method,
            "target": request.target,
            "headers": dict(request.headers.items()),
            "content": content.decode("latin-1"),
            "trailers": dict(request.trailers.items()),
        }
        request.respond(200, **_json(said))

    async def upload(self, request: PeerRequest) -> None:
        content = await request.read()
        request.respond(200, **_json({"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}))

    async def large(self, request: PeerRequest) -> None:
        """One document, in ranges if asked for; as broken.bin it breaks off in the middle, the first time."""
        headers = {"etag": ETAG, "accept-ranges": "bytes", "content-length": str(len(LARGE))}
        wanted = request.headers.get("range")
        if wanted is not None and request.headers.get("if-range") == ETAG:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            headers["content-range"] = f"bytes {start}-{len(LARGE) - 1}/{len(LARGE)}"
            headers["content-length"] = str(len(LARGE) - start)
            request.respond(206, headers=headers, content=LARGE[start:])
        elif self.counts["/broken.bin"] == 1 and request.target == "/broken.bin":
            request.start(200, headers)
            request.send(LARGE[: len(LARGE) // 2])
            await asyncio.sleep(0.1)
            request.reset(2)
        else:
            request.respond(200, headers=headers, content=LARGE)

    async def unsteady(self, request: PeerRequest) -> None:
        odd = self.counts["/unsteady"] % 2
        request.respond(503 if odd else 200, content=b"later" if odd else b"now")

    async def slow(self, request: PeerRequest) -> None:
        await asyncio.sleep(5)
        request.respond(200)

    async def private(self, request: PeerRequest) -> None:
        known = request.headers.get("authorization") == BASIC
        request.respond(200 if known else 401, headers={} if known else {"www-authenticate": "Basic realm=x"})

    async def api(self, request: PeerRequest) -> None:
        request.respond(200 if request.headers.get("authorization") == TOKEN else 401)

    async def events(self, request: PeerRequest) -> None:
        """Two events; who has seen the second is told that there are no more."""
        if request.headers.get("last-event-id") == "2":
            request.respond(204)
        else:
            request.respond(200, headers={"content-type": "text/event-stream"}, content=b"retry: 100\n" + EVENTS)

    async def duplex(self, request: PeerRequest) -> None:
        """Each piece of the content comes back as soon as it is here."""
        request.start(200)
        sent = 0
        while True:
            if len(request.content) > sent:
                piece = bytes(request.content[sent:])
                sent += len(piece)
                request.send(piece.upper())
            if request.complete:
                request.finish()
                return
            request.changed.clear()
            await request.changed.wait()


def guide_server(folder: Path) -> tuple[ScriptedPeer, Path]:
    """The server, not yet started, and the file of the CA that its certificate is from."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    file = folder / "ca.pem"
    ca.cert_pem.write_to_path(file)
    return ScriptedPeer(GuideServer(), ssl_context=context), file


def _json(value: Any) -> dict[str, Any]:
    return {"headers": {"content-type": "application/json"}, "content": json.dumps(value).encode()}
