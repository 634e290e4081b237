"""The table of scenarios: what is asked of which server, by whom, and the ratios that must hold."""

from __future__ import annotations

from dataclasses import dataclass, field

MIB = 1 << 20

PYTHON_PEERS = ("httpx", "httpx2", "aiohttp", "niquests", "pycurl", "curl_cffi", "pyreqwest", "wreq")
SYNC_PEERS = ("requests", *(f"{name}-sync" for name in PYTHON_PEERS if name not in ("httpx2", "aiohttp")))
HTTP1_ONLY = frozenset({"aiohttp", "requests"})
"""These are given nginx where the others are given nghttpd, which has no HTTP/1.1."""


@dataclass(frozen=True)
class Bound:
    """`client`'s figure is at least (or at most) `factor` times `peer`'s; with no peer, `factor` itself."""

    client: str
    figure: str
    relation: str
    factor: float
    peer: str | None = None

    def __str__(self) -> str:
        of = f" x {self.peer}" if self.peer else ""
        return f"{self.client} {self.figure} {self.relation} {self.factor:g}{of}"


@dataclass(frozen=True)
class Scenario:
    """One row. `mode` is get, download, upload or idle; clients not installed are skipped aloud."""

    name: str
    title: str
    clients: tuple[str, ...]
    mode: str = "get"
    server: str = "nghttpd-tls"
    path: str = "/100"
    size: int = 100
    concurrency: int = 1
    connections: int = 1
    origins: int = 1
    repeat: int = 1
    bounds: tuple[Bound, ...] = field(default=())


NATIVE = ("go", "rust-hyper", "h2load")
OURS = (
    "deuterium",
    "deuterium-asyncio",
    "deuterium-fetch-many",
    "deuterium-gather",
    "deuterium-trio",
    "deuterium-pure",
)

SCENARIOS = (
    Scenario(
        "get-100",
        "100-byte GETs, TLS, 1 connection, 100 in flight",
        clients=(*NATIVE, *OURS, *PYTHON_PEERS),
        concurrency=100,
        bounds=(
            Bound("deuterium", "rps", ">=", 3, "go"),
            Bound("deuterium", "requests_per_cpu_s", ">=", 4, "go"),
            Bound("deuterium-asyncio", "rps", ">=", 2, "go"),
            Bound("deuterium-fetch-many", "rps", ">=", 4, "go"),
            Bound("deuterium-fetch-many", "rps", ">=", 1, "h2load"),
            Bound("deuterium-gather", "rps", ">=", 1.5, "go"),
            Bound("deuterium-pure", "rps", ">=", 1, "go"),
        ),
    ),
    Scenario(
        "get-1",
        "100-byte GETs, TLS, 1 connection, one in flight",
        clients=(*NATIVE, "deuterium", "deuterium-asyncio", "deuterium-pure", *PYTHON_PEERS),
        bounds=(Bound("deuterium", "p50_us", "<=", 1.15, "go"),),
    ),
    Scenario(
        "download-h2c",
        "512 MiB download, one stream, h2c",
        clients=("curl", "go", "rust-hyper", "deuterium", "deuterium-asyncio"),
        mode="download",
        server="nghttpd-h2c",
        path="/512m",
        size=512 * MIB,
        bounds=(
            Bound("deuterium", "mb_per_s", ">=", 1, "curl"),
            Bound("deuterium", "cpu_s", "<=", 1, "curl"),
        ),
    ),
    Scenario(
        "download-tls",
        "512 MiB download, one stream, TLS",
        clients=(
            "curl",
            "go",
            "rust-hyper",
            "deuterium",
            "deuterium-asyncio",
            "httpx",
            "aiohttp",
            "pyreqwest",
            "wreq",
        ),
        mode="download",
        path="/512m",
        size=512 * MIB,
        bounds=(
            Bound("deuterium", "mb_per_s", ">=", 0.95, "curl"),
            Bound("deuterium", "cpu_s", "<=", 1, "curl"),
        ),
    ),
    Scenario(
        "upload-tls",
        "256 MiB upload from an iterator, TLS",
        clients=("go", "rust-hyper", "curl", "deuterium", "deuterium-asyncio", "httpx"),
        mode="upload",
        size=256 * MIB,
        bounds=(
            Bound("deuterium", "mb_per_s", ">=", 1, "go"),
            Bound("deuterium", "peak_rss_kib", "<=", 96 * 1024),
        ),
    ),
    Scenario(
        "bodies-64k",
        "64 KiB responses, TLS, 1 connection, 32 in flight",
        clients=(*NATIVE, "deuterium", "deuterium-asyncio", "deuterium-fetch-many", *PYTHON_PEERS),
        path="/64k",
        size=64 * 1024,
        concurrency=32,
        bounds=(Bound("deuterium", "rps", ">=", 0.9, "rust-hyper"),),
    ),
    Scenario(
        "get-10",
        "100-byte GETs, TLS, 1 connection, 10 in flight",
        clients=(*NATIVE, "deuterium", "deuterium-asyncio", "deuterium-fetch-many", *PYTHON_PEERS),
        concurrency=10,
    ),
    Scenario(
        "get-1000",
        "100-byte GETs, TLS, 1 connection, 1,000 in flight",
        clients=(
            *NATIVE,
            "deuterium",
            "deuterium-asyncio",
            "deuterium-fetch-many",
            "pycurl",
            "pyreqwest",
            "wreq",
        ),
        concurrency=1000,
    ),
    Scenario(
        "get-10000",
        "100-byte GETs, TLS, 1 connection, 10,000 in flight beside 100 in flight",
        clients=("go", "go@100", "rust-hyper", "rust-hyper@100", "deuterium", "deuterium@100"),
        concurrency=10_000,
        bounds=(Bound("deuterium", "cpu_us_per_request", "<=", 1.3, "deuterium@100"),),
    ),
    Scenario(
        "get-100x10",
        "100-byte GETs, TLS, 10 connections, 100 in flight",
        clients=(*NATIVE, "deuterium", "deuterium-asyncio", *PYTHON_PEERS),
        concurrency=100,
        connections=10,
    ),
    Scenario(
        "trickle",
        "100 bytes after random pauses of 0 to 4 ms, TLS, 1 connection, 100 in flight",
        clients=("go", "rust-hyper", "deuterium", "deuterium-asyncio", *PYTHON_PEERS),
        server="go",
        path="/trickle",
        concurrency=100,
    ),
    *(
        Scenario(
            f"sync-{threads}",
            f"100-byte GETs, TLS, blocking calls from {threads} thread{'s' if threads > 1 else ''}",
            clients=("go", "deuterium-sync", *SYNC_PEERS),
            concurrency=threads,
            bounds=bounds,
        )
        for threads, bounds in (
            (1, (Bound("deuterium-sync", "p50_us", "<=", 1.1, "go"),)),
            (8, (Bound("deuterium-sync", "rps", ">=", 55 / 75, "go"),)),
            (
                32,
                (
                    Bound("deuterium-sync", "rps", ">=", 1, "wreq-sync"),
                    Bound("deuterium-sync", "rps", ">=", 0.85, "go"),
                ),
            ),
        )
    ),
    Scenario(
        "idle-1000",
        "1,000 origins, one TLS connection each, one GET every 10 ms",
        clients=("go", "rust-hyper", "deuterium", "httpx", "aiohttp"),
        mode="idle",
        server="go",
        origins=1000,
    ),
)
