"""The outcome of a load run, as a document for programs and as a table for people."""

from __future__ import annotations

from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .failures import INTERRUPTED, OK, exit_code
from .load import Outcome

PERCENTILES: Final = (("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p99.9", 99.9))
PARTLY_FAILED: Final = 1


def document(outcome: Outcome, url: str, loop: str) -> dict[str, Any]:
    """Everything that was measured; durations in milliseconds, sizes in bytes."""
    tally = outcome.tally
    latencies = tally.latencies
    seconds = outcome.elapsed_s
    errors = {
        kind: {"count": count, "example": " ".join(str(tally.examples[kind]).split())}
        for kind, count in sorted(tally.errors.items())
    }
    return {
        "url": url,
        "protocols": dict(tally.protocols),
        "event_loop": loop,
        "connections": tally.connections,
        "streams_per_connection": outcome.streams,
        "stopped_early": outcome.stopped,
        "seconds": round(seconds, 6),
        "responses": tally.responses,
        "requests_per_second": round(tally.responses / seconds, 1) if seconds else 0.0,
        "content_bytes": tally.content_bytes,
        "megabytes_per_second": round(tally.content_bytes / seconds / 1e6, 3) if seconds else 0.0,
        "latency_ms": {
            **{name: round(latencies.percentile(percent) * 1e3, 4) for name, percent in PERCENTILES},
            "max": round(latencies.largest * 1e3, 4),
            "mean": round(latencies.mean() * 1e3, 4),
        },
        "cpu_us_per_request": round(outcome.cpu_s / tally.responses * 1e6, 2) if tally.responses else None,
        "statuses": {str(status): count for status, count in sorted(tally.statuses.items())},
        "errors": errors,
    }


def show(facts: dict[str, Any], console: Console) -> None:
    """The same as a table."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column()
    latency = facts["latency_ms"]
    names = ", ".join(f"{count} x {name}" for name, count in facts["protocols"].items()) or "none"
    cpu = facts["cpu_us_per_request"]
    rows = [
        ("requests/s", f"{facts['requests_per_second']:,.0f}"),
        ("responses", f"{facts['responses']:,} in {facts['seconds']:.3f} s"),
        ("content", f"{facts['content_bytes']:,} bytes, {facts['megabytes_per_second']:,.2f} MB/s"),
        *((f"latency {name}", f"{milliseconds:,.3f} ms") for name, milliseconds in latency.items()),
        ("statuses", ", ".join(f"{status}: {count:,}" for status, count in facts["statuses"].items()) or "none"),
        ("errors", f"{sum(error['count'] for error in facts['errors'].values()):,}"),
        *((f"  {kind}", f"{error['count']:,}, such as: {error['example']}") for kind, error in facts["errors"].items()),
        ("connections", f"{names}, {facts['streams_per_connection']} requests at a time on each"),
        ("client CPU", f"{cpu:.2f} µs for each response, {facts['event_loop']}" if cpu is not None else "-"),
    ]
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    if facts["stopped_early"]:
        console.print(Text("stopped early; this is what was measured until then"))
    console.print(table)


def code_of(outcome: Outcome) -> int:
    """0: every request was answered; 1: some were not; of none at all, the code of their commonest error."""
    tally = outcome.tally
    if outcome.stopped:
        return INTERRUPTED
    if not tally.errors:
        return OK
    if tally.responses:
        return PARTLY_FAILED
    return exit_code(tally.examples[max(tally.errors, key=lambda kind: tally.errors[kind])])
