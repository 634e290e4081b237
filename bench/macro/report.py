"""Turns the rounds' records into medians, ratios and verdicts, as Markdown and as a page."""

from __future__ import annotations

import os
import platform
import re
import statistics
import time
from html import escape
from pathlib import Path
from typing import Any

from scenarios import SCENARIOS, Bound, Scenario

Record = dict[str, Any]
BASE = "go"
SPEEDS = ("rps", "mb_per_s", "requests_per_cpu_s")
COSTS = ("p50_us", "p99_us", "cpu_us_per_request", "cpu_s", "peak_rss_kib")
FIGURES = (*SPEEDS, *COSTS)


def machine(server_core: int, client_core: int) -> dict[str, str]:
    """What the figures depend on and the reader cannot see."""
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": found[1] if found else platform.machine(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "pinning": f"server on core {server_core}, client on core {client_core}",
    }


def busy_s() -> float:
    """Seconds that all cores together have worked since the start."""
    user, nice, system, _, _, *rest = map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:9])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def summarize(records: list[Record]) -> dict[str, dict[str, Any]]:
    """Scenario -> client -> medians, spread, lost requests and the median ratio to Go."""
    summary: dict[str, dict[str, Any]] = {}
    for record in records:
        clients = summary.setdefault(record["scenario"], {})
        clients.setdefault(record["client"], {"rounds": []})["rounds"].append(record)
    for clients in summary.values():
        for client, entry in clients.items():
            rounds = entry.pop("rounds")
            entry["version"] = rounds[0]["version"]
            entry["rounds"] = len(rounds)
            entry["errors"] = sum(record["errors"] for record in rounds)
            for figure in FIGURES:
                values = [record[figure] for record in rounds if record[figure] is not None]
                if values:
                    entry[figure] = statistics.median(values)
                    entry[f"{figure}_range"] = [min(values), max(values)]
            entry["ratio"] = {
                figure: found
                for figure in FIGURES
                if (found := ratio(records, rounds[0]["scenario"], figure, client, BASE)) is not None
            }
    return summary


def ratio(records: list[Record], scenario: str, figure: str, client: str, peer: str) -> float | None:
    """The median over rounds of client's figure by peer's in the same round."""
    rounds: dict[int, dict[str, float]] = {}
    for record in records:
        measured = record["scenario"] == scenario and record[figure] is not None
        if measured and record["client"] in (client, peer):
            rounds.setdefault(record["round"], {})[record["client"]] = record[figure]
    ratios = [pair[client] / pair[peer] for pair in rounds.values() if client in pair and pair.get(peer)]
    return statistics.median(ratios) if ratios else None


def verdict(bound: Bound, scenario: str, document: dict[str, Any]) -> str | None:
    """`holds` or `falls short`, with the figure it rests on; None when a side was not measured."""
    if bound.peer is None:
        reached = document["summary"][scenario].get(bound.client, {}).get(bound.figure)
    else:
        reached = ratio(document["records"], scenario, bound.figure, bound.client, bound.peer)
    if reached is None:
        return None
    holds = reached >= bound.factor if bound.relation == ">=" else reached <= bound.factor
    return f"{'holds' if holds else 'falls short'}: {bound} (reached {reached:,.2f})"


def markdown(document: dict[str, Any]) -> str:
    """One table per scenario, its verdicts below."""
    lines = [", ".join(f"{name}: {value}" for name, value in document["machine"].items())]
    others = [record["others_share"] for record in document["records"]]
    lines += [f"Other programs took {statistics.median(others or [0]):.0%} of all cores meanwhile (median).", ""]
    for scenario in SCENARIOS:
        clients = document["summary"].get(scenario.name)
        if not clients:
            continue
        header, rows = table(scenario, clients)
        lines += [f"### {scenario.name}: {scenario.title}", ""]
        lines += ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in rows]
        lines.append("")
        verdicts = [verdict(bound, scenario.name, document) for bound in scenario.bounds]
        lines += [f"- {text}" for text in verdicts if text]
        lines += [""] if any(verdicts) else []
    return "\n".join(lines)


def table(scenario: Scenario, clients: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: requests or megabytes per second first, by speed."""
    transfer = scenario.mode in ("download", "upload")
    speed = "mb_per_s" if transfer else "rps"
    header = ["client", "MB/s" if transfer else "requests/s", "spread", "x Go"]
    header += ["CPU s", "x Go"] if transfer else ["CPU us", "x Go", "p50 us", "p99 us"]
    header += ["peak MiB", "lost", "version"]
    rows = []
    for client, entry in sorted(clients.items(), key=lambda item: -item[1][speed]):
        low, high = entry[f"{speed}_range"]
        cpu = "cpu_s" if transfer else "cpu_us_per_request"
        row = [client, number(entry[speed]), f"{number(low)}-{number(high)}", times(entry, speed)]
        row += [number(entry[cpu]), times(entry, cpu)]
        if not transfer:
            row += [number(entry.get("p50_us")), number(entry.get("p99_us"))]
        row += [number(entry["peak_rss_kib"] / 1024), str(entry["errors"]), entry["version"]]
        rows.append(row)
    return header, rows


def number(value: float | None) -> str:
    """Three digits that matter."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def times(entry: dict[str, Any], figure: str) -> str:
    found = entry["ratio"].get(figure)
    return "-" if found is None else f"{found:.2f}"


STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222 }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
h2 { margin-top: 2.5rem } table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
.ours { font-weight: 600 } .holds { color: #17692b } .short { color: #a3201d }
svg text { font: 12px system-ui, sans-serif }
"""


def html(document: dict[str, Any]) -> str:
    """A page that opens from disk: the tables, the verdicts and a bar per client."""
    parts = ["<!doctype html><meta charset=utf-8><title>Deuterium beside other clients</title>"]
    parts += [f"<style>{STYLE}</style><h1>Deuterium beside other clients</h1><p>"]
    parts += [escape("; ".join(f"{name}: {value}" for name, value in document["machine"].items())), "</p>"]
    for scenario in SCENARIOS:
        clients = document["summary"].get(scenario.name)
        if not clients:
            continue
        header, rows = table(scenario, clients)
        parts.append(f"<h2>{escape(scenario.title)}</h2>")
        parts.append(bars(scenario, clients))
        parts.append("<table><tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in header) + "</tr>")
        for row in rows:
            mark = " class=ours" if row[0].startswith("deuterium") else ""
            parts.append(f"<tr{mark}>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>")
        parts.append("</table><ul>")
        for bound in scenario.bounds:
            text = verdict(bound, scenario.name, document)
            if text:
                mark = "holds" if text.startswith("holds") else "short"
                parts.append(f"<li class={mark}>{escape(text)}</li>")
        parts.append("</ul>")
    return "".join(parts) + "\n"


def bars(scenario: Scenario, clients: dict[str, Any]) -> str:
    """Medians as bars, smallest to largest round as a line over each."""
    speed = "mb_per_s" if scenario.mode in ("download", "upload") else "rps"
    ranked = sorted(clients.items(), key=lambda item: -item[1][speed])
    widest = max(entry[f"{speed}_range"][1] for _, entry in ranked) or 1
    scale = 620 / widest
    drawn = []
    for row, (client, entry) in enumerate(ranked):
        y = row * 24
        low, high = (bound * scale for bound in entry[f"{speed}_range"])
        colour = "#2563a8" if client.startswith("deuterium") else "#a9b4c2"
        width, text, middle = entry[speed] * scale, y + 15, y + 11
        drawn += [
            f'<text x="170" y="{text}" text-anchor="end">{escape(client)}</text>',
            f'<rect x="180" y="{y + 3}" width="{width:.1f}" height="16" fill="{colour}"/>',
            f'<line x1="{180 + low:.1f}" x2="{180 + high:.1f}" y1="{middle}" y2="{middle}" stroke="#222"/>',
            f'<text x="{188 + high:.1f}" y="{text}">{number(entry[speed])}</text>',
        ]
    return f'<svg width="900" height="{len(ranked) * 24 + 4}">{"".join(drawn)}</svg>'
