"""Runs Deuterium beside other HTTP clients on loopback servers and prints the ratios.

    python bench/macro/run.py --scenario get-100 --clients go,deuterium --rounds 5 --json FILE

Each round runs every chosen client once, in order (A B C A B C), against one server for all rounds. The
server has one core and the client another. What is compared is the median of the rounds' ratios.

Every client answers with one record: client, version, scenario, requests, errors, seconds, rps, p50_us,
p99_us, cpu_us_per_request, peak_rss_kib, bytes, mb_per_s, cpu_s; the runner adds round, server_cpu_s,
requests_per_cpu_s and others_share, what other programs took of all cores meanwhile. CPU is user and system time of
the client's process while it measured (h2load: while it ran; curl: less its start-up).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import report  # noqa: E402
from clients import ClientMissing, Launcher, Record, Run  # noqa: E402
from scenarios import HTTP1_ONLY, SCENARIOS, Scenario  # noqa: E402

from servers import ServerMissing, Servers  # noqa: E402

QUIET = "take a turn again, up to 8 times, when other programs took more than this share of all cores"
TRIES = 8


def parse() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--list", action="store_true", help="print the scenarios and their clients")
    parser.add_argument("--scenario", default="", help="names, comma-separated (default: all)")
    parser.add_argument("--clients", default="", help="names, comma-separated (default: the scenario's own)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="measured time of a client's turn")
    parser.add_argument("--warmup", type=float, default=0.5, help="time before it")
    parser.add_argument("--quiet", type=float, metavar="SHARE", help=QUIET)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--client-core", type=int, default=1)
    parser.add_argument("--source", type=Path, help="directory with the package (default: the installed one)")
    parser.add_argument("--json", type=Path, help="write every record and the summary here")
    parser.add_argument("--markdown", type=Path, help="write the tables here")
    parser.add_argument("--html", type=Path, help="write a page with plots here")
    parser.add_argument("--render", type=Path, help="read an earlier --json file instead of measuring")
    return parser.parse_args()


def chosen(names: str) -> list[Scenario]:
    wanted = [name for name in names.split(",") if name]
    unknown = set(wanted) - {scenario.name for scenario in SCENARIOS}
    if unknown:
        raise SystemExit(f"no scenario {', '.join(sorted(unknown))}; --list prints them")
    return [scenario for scenario in SCENARIOS if not wanted or scenario.name in wanted]


def measure(
    scenario: Scenario, clients: list[str], options: argparse.Namespace, launcher: Launcher, servers: Servers
) -> list[Record]:
    """All rounds of one scenario; a client that is missing or fails is named once and left out then."""
    records: list[Record] = []
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(servers.running(scenario.server, scenario.origins))
        beside = server
        if scenario.server == "nghttpd-tls" and not HTTP1_ONLY.isdisjoint(clients):
            beside = stack.enter_context(servers.running("nginx"))
        for number in range(options.rounds):
            for client in list(clients):
                concurrency = int(client.partition("@")[2] or scenario.concurrency)
                asked = beside if client in HTTP1_ONLY else server
                run = Run(scenario, asked, servers, concurrency, options.seconds, options.warmup)
                try:
                    record = turn(client, run, launcher, options.quiet)
                except ClientMissing as missing:
                    print(f"{scenario.name}: skipped {client}: {missing}", file=sys.stderr)
                    clients.remove(client)
                    continue
                except RuntimeError as failure:
                    print(f"{scenario.name}: {client} failed: {failure}", file=sys.stderr)
                    clients.remove(client)
                    continue
                record |= {"client": client, "round": number}
                records.append(record)
                print(
                    f"{scenario.name} {number + 1}/{options.rounds} {client}: {record['rps']:,.0f}/s, "
                    f"{record['cpu_us_per_request']:,.1f} us CPU, {record['mb_per_s']:,.0f} MB/s, "
                    f"{record['errors']} errors",
                    file=sys.stderr,
                )
    return records


def turn(client: str, run: Run, launcher: Launcher, quiet: float | None) -> Record:
    """One client's turn; with `quiet`, the first of its tries that other programs left alone, or the quietest."""
    tries = []
    for _ in range(TRIES if quiet is not None else 1):
        server_cpu, client_cpu, busy = run.server.cpu_s(), launcher.cpu_s, report.busy_s()
        start = time.monotonic()
        record = launcher.run(client, run)
        capacity = (time.monotonic() - start) * (os.cpu_count() or 1)
        record["server_cpu_s"] = round(run.server.cpu_s() - server_cpu, 3)
        own = record["server_cpu_s"] + launcher.cpu_s - client_cpu
        record["others_share"] = round(max(report.busy_s() - busy - own, 0) / capacity, 3)
        record["requests_per_cpu_s"] = record["requests"] / max(record["cpu_s"], 1e-9)
        tries.append(record)
        if quiet is None or record["others_share"] <= quiet:
            break
    return min(tries, key=lambda record: record["others_share"])


def main() -> None:
    options = parse()
    scenarios = chosen(options.scenario)
    if options.list:
        for scenario in scenarios:
            print(f"{scenario.name:14} {scenario.title}\n{'':14} {', '.join(scenario.clients)}")
        return
    if options.render:
        document = json.loads(options.render.read_text())
    else:
        document = {"machine": report.machine(options.server_core, options.client_core), "records": []}
        cache = HERE.parent.parent / ".cache" / "bench"
        cache.mkdir(parents=True, exist_ok=True)
        cores = len(os.sched_getaffinity(0))
        launcher = Launcher(options.client_core if cores > 1 else None, cache, options.source)
        try:
            go_server = launcher.go("server")
        except ClientMissing as missing:
            print(missing, file=sys.stderr)
            go_server = None
        servers = Servers(options.server_core if cores > 1 else None, go_server)
        try:
            for scenario in scenarios:
                clients = [name for name in options.clients.split(",") if name] or list(scenario.clients)
                try:
                    document["records"] += measure(scenario, clients, options, launcher, servers)
                except ServerMissing as missing:
                    print(f"skipped {scenario.name}: {missing}", file=sys.stderr)
        finally:
            servers.close()
    summary = report.summarize(document["records"])
    document["summary"] = summary
    text = report.markdown(document)
    print(text)
    for target, content in (
        (options.json, json.dumps(document, indent=1) + "\n"),
        (options.markdown, text),
        (options.html, report.html(document) if options.html else ""),
    ):
        if target:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)


if __name__ == "__main__":
    main()
