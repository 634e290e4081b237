"""What an idle connection costs: resident memory of many HTTP/2 connections over TLS, ours and bare TLS.

    python bench/micro/idle_connections.py bare|client HOST PORT [connections]

``bare`` opens a socket and an ``ssl.SSLObject`` over two ``MemoryBIO`` each, does the handshake, and exchanges one
request and its response in octets made by hand; nothing of the client is loaded. ``client`` sends one request to each
of as many origins (names that all lead to HOST) and waits until all connections are idle. Prints KiB a connection.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import ssl
import sys

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
ACK = bytes((0, 0, 0, 4, 1, 0, 0, 0, 0))
# :method GET, :scheme https, :path /100, :authority o.example; RFC 7541 by hand
BLOCK = b"\x82\x87\x04\x04/100\x01\x09o.example"
REQUEST = len(BLOCK).to_bytes(3, "big") + b"\x01\x05\0\0\0\x01" + BLOCK


def resident_kib() -> float:
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def context() -> ssl.SSLContext:
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.set_alpn_protocols(["h2"])
    return made


class Bare:
    """One connection."""

    def __init__(self, shared: ssl.SSLContext, host: str, port: int, name: str) -> None:
        self.sock = socket.create_connection((host, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.tls = shared.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._send()
                self.incoming.write(self.sock.recv(16384))
        self.tls.write(PREFACE + SETTINGS + ACK + REQUEST)
        self._send()
        received = b""
        while b"\x00\x01\x00\x00\x00\x01" not in received:  # DATA with END_STREAM on stream 1
            try:
                received += self.tls.read(16384)
            except ssl.SSLWantReadError:
                self.incoming.write(self.sock.recv(16384))

    def _send(self) -> None:
        self.sock.sendall(self.outgoing.read())


def bare(host: str, port: int, count: int) -> float:
    shared = context()
    held = [Bare(shared, host, port, "warm.example")]
    before = resident_kib()
    held += [Bare(shared, host, port, f"o{number}.example") for number in range(count)]
    return (resident_kib() - before) / count


async def client(host: str, port: int, count: int) -> float:
    from deuterium import AsyncClient, Limits

    async def resolver(name: str, port: int) -> list[str]:
        return [host]

    limits = Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=None)
    async with AsyncClient(http1=False, verify=context(), limits=limits, resolver=resolver, timeout=60.0) as client:
        await client.get(f"https://warm.example:{port}/100")
        before = resident_kib()
        together = asyncio.Semaphore(50)

        async def fetch(number: int) -> None:
            async with together:
                await client.get(f"https://o{number}.example:{port}/100")

        await asyncio.gather(*(fetch(number) for number in range(count)))
        await asyncio.sleep(0.5)
        assert len(client.stats().connections) == count + 1
        client.workshop.buffers.clear()  # what the pool still keeps is the client's, however many connections it has
        return (resident_kib() - before) / count


def main() -> None:
    mode, host, port = sys.argv[1:4]
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 1000
    if mode == "bare":
        print(f"{bare(host, int(port), count):.1f}")
    else:
        print(f"{asyncio.run(client(host, int(port), count)):.1f}")


if __name__ == "__main__":
    main()
