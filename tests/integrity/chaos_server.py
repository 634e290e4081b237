"""The scripted peers on real sockets, in a thread: frames and pieces of every size, never a wrong octet."""

from __future__ import annotations

import asyncio
import ssl
import threading
from random import Random
from types import TracebackType
from typing import Any

from servers import Workspace

from .content import Ledger
from .h1_peer import H1Peer
from .h2_peer import H2Peer
from .script import Script, Temper

TEMPER = Temper(
    noise=0.05, longest_delay_s=0.004, split_writes=True, most_streams=20, longest_frame=16384, early=0.0, idle_s=60.0
)


class ChaosServer:
    """A loopback server of one HTTP version, with TLS or without."""

    def __init__(self, workspace: Workspace, seed: int, version: str, tls: bool) -> None:
        self.ledger = Ledger()
        self.script = Script(Random(seed), TEMPER)
        self.version = version
        self.context: ssl.SSLContext | None = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(workspace.cert_file, workspace.key_file)
            self.context.set_alpn_protocols(["h2" if version == "h2" else "http/1.1"])
        self.port = 0
        self.failures: list[Any] = []
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda _, context: self._note(context))
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def base_url(self) -> str:
        return f"{'http' if self.context is None else 'https'}://127.0.0.1:{self.port}"

    def __enter__(self) -> ChaosServer:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _note(self, context: dict[str, Any]) -> None:
        # A client that gives a response up and closes leaves the server's TLS in the middle of a word.
        if not isinstance(context.get("exception"), OSError):
            self.failures.append(context)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        peer = H2Peer if self.version == "h2" else H1Peer
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: peer(self.script, self.ledger), "127.0.0.1", 0, ssl=self.context)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
