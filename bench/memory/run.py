"""What each memory pool gives and costs to a whole client over real servers: the same requests with it on and off.

    python bench/memory/run.py [--requests 5000] [--rounds 3] [--loop uvloop] [--json FILE]

Each run is a process of its own; on and off take turns. Buffers and objects are counted by the pools, and again from
outside by a preloaded ``malloc`` where there is a C compiler and glibc. Prints the tables of docs/memory.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from deuterium._memory import buffer_pool  # noqa: E402
from servers import Fleet, Server, Workspace  # noqa: E402

# (title, work, server, protocol, the pool in question)
ROWS = (
    ("buffers: 1 KiB, one in flight, TLS", "one_by_one", "nghttpd", "h2", "buffers"),
    ("buffers: 1 KiB, bursts of 100, TLS", "in_bursts", "nghttpd", "h2", "buffers"),
    ("buffers: 64 KiB lent, 8 in flight, TLS", "streamed", "nghttpd", "h2", "buffers"),
    ("buffers: 20 KB uploads, 10 in flight, TLS", "uploads", "nghttpd", "h2", "buffers"),
    ("buffers: 1 KiB, HTTP/1.1, 20 connections, TLS", "many_connections", "nginx", "h1", "buffers"),
    ("objects: 1 KiB, one in flight, TLS", "one_by_one", "nghttpd", "h2", "objects"),
    ("objects: 1 KiB, bursts of 100, TLS", "in_bursts", "nghttpd", "h2", "objects"),
)
STRING_ROWS = (("HTTP/2, one connection", "h2"), ("HTTP/1.1, 20 connections", "h1"))

# Fields as production servers send them: ten that repeat, three that never do.
FIELDS = (
    "cache-control 'public, max-age=31536000'",
    "vary 'accept-encoding, origin'",
    "strict-transport-security 'max-age=63072000; includeSubDomains; preload'",
    "x-content-type-options nosniff",
    "x-frame-options SAMEORIGIN",
    "referrer-policy strict-origin-when-cross-origin",
    "x-region eu-central",
    "x-powered-by 'a server of some make'",
    "content-security-policy \"default-src 'self'; img-src https:\"",
    "access-control-allow-origin https://example.org",
    "x-request-id $request_id",
    "x-trace-id trace-$request_id",
    "x-served-at $msec",
)


def counting_malloc(folder: Path) -> Path | None:
    """The preloaded counter, built; None where it cannot be."""
    compiler = shutil.which("cc")
    if compiler is None or platform.libc_ver()[0] != "glibc":
        return None
    library = folder / "malloc_count.so"
    built = subprocess.run(
        [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(HERE / "malloc_count.c")], check=False
    )
    return library if built.returncode == 0 else None


def run_child(given: dict[str, Any], preload: Path | None) -> dict[str, Any]:
    """One run in a process of its own."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])}
    if preload is not None:
        env["LD_PRELOAD"] = str(preload)
    done = subprocess.run(
        [sys.executable, str(HERE / "workloads.py"), json.dumps(given)], env=env, stdout=subprocess.PIPE, check=True
    )
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


def medians(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        key: None if value is None else statistics.median(outcome[key] for outcome in outcomes)
        for key, value in outcomes[0].items()
    }


def on_and_off(given: dict[str, Any], pool: str, rounds: int, preload: Path | None) -> dict[str, Any]:
    """The medians of each, the runs interleaved."""
    outcomes: dict[str, list[dict[str, Any]]] = {"on": [], "off": []}
    for _ in range(rounds):
        for label, off in (("on", []), ("off", [pool])):
            outcomes[label].append(run_child({**given, "off": off}, preload))
    return {label: medians(each) for label, each in outcomes.items()}


def ratio(row: dict[str, Any], key: str) -> str:
    on, off = row["on"][key], row["off"][key]
    if on is None:
        return "-"
    return f"{off / on:,.0f}x" if on else "all"


def pair(row: dict[str, Any], key: str, form: str = ",.0f", scale: float = 1.0) -> str:
    texts = ["-" if row[side][key] is None else format(row[side][key] * scale, form) for side in ("on", "off")]
    return " / ".join(texts)


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| pool, work | made / 1,000 requests | fewer | KiB of buffers / 1,000 | malloc >= 4 KiB / 1,000 "
        "| KiB of these / 1,000 | CPU µs / request | seconds | peak MiB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        made = row["pool"]
        lines.append(
            f"| {row['title']} | {pair(row, made, ',.1f')} | {ratio(row, made)} "
            f"| {pair(row, 'buffer_octets', ',.0f', 1 / 1024)} | {pair(row, 'malloc_large', ',.1f')} "
            f"| {pair(row, 'malloc_octets', ',.0f', 1 / 1024)} | {pair(row, 'cpu_us', ',.1f')} "
            f"| {pair(row, 'seconds', '.2f')} | {pair(row, 'peak_kib', '.1f', 1 / 1024)} |"
        )
    return "\n".join(lines)


def string_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| responses kept | live str | KiB | distinct texts | strings in the pool | CPU µs / request | peak MiB |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        lines.append(
            f"| {row['title']} | {pair(row, 'live')} | {pair(row, 'octets', ',.0f', 1 / 1024)} "
            f"| {pair(row, 'distinct')} | {pair(row, 'pool_size')} | {pair(row, 'cpu_us', ',.1f')} "
            f"| {pair(row, 'peak_kib', '.1f', 1 / 1024)} |"
        )
    return "\n".join(lines)


def measure(options: argparse.Namespace, fleet: Fleet, folder: Path) -> dict[str, Any]:
    preload = counting_malloc(folder)

    def given(server: Server, work: str, protocol: str, requests: int) -> dict[str, Any]:
        return {
            "work": work,
            "base": server.base_url,
            "ca": str(server.ca_file),
            "protocol": protocol,
            "requests": requests,
            "loop": options.loop,
        }

    rows = []
    for title, work, name, protocol, pool in ROWS:
        row = on_and_off(given(fleet.get(name), work, protocol, options.requests), pool, options.rounds, preload)
        rows.append({"title": title, "pool": pool, **row})
        print(f"done: {title}", file=sys.stderr)
    strings = []
    with fleet.run("nginx", fields=FIELDS) as server:
        for title, protocol in STRING_ROWS:
            row = on_and_off(
                given(server, "strings", protocol, 2 * options.requests), "strings", options.rounds, None
            )
            strings.append({"title": f"{2 * options.requests:,} over {title}", **row})
            print(f"done: strings, {title}", file=sys.stderr)
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "compiled": not buffer_pool.__file__.endswith((".py", ".pyc")),
        "loop": options.loop,
        "requests": options.requests,
        "rounds": options.rounds,
        "rows": rows,
        "strings": strings,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="uvloop")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with Workspace() as workspace, tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(workspace)
        try:
            report = measure(options, fleet, Path(folder))
        finally:
            fleet.close()
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    print(
        f"{report['python']}, {'compiled' if report['compiled'] else 'interpreted'}, {report['loop']}, "
        f"{report['requests']:,} requests a run, medians of {report['rounds']} runs; pool on / off\n"
    )
    print(table(report["rows"]))
    print()
    print(string_table(report["strings"]))


if __name__ == "__main__":
    main()
