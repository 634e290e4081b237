"""What a load run counts, response by response; compiled, because it runs once for each."""

from __future__ import annotations

from typing import Any

from ..response import Response
from .histogram import Histogram

# Connections remembered so as not to be counted twice; those lost are forgotten once there are more.
REMEMBERED = 256


class Tally:
    """Counts of one lane of load, or, merged, of all.

    ``latencies``: from handing a request to its connection to the end of its response, as the engine saw them.
    """

    __slots__ = (
        "carrier",
        "carriers",
        "connections",
        "content_bytes",
        "errors",
        "examples",
        "latencies",
        "protocols",
        "responses",
        "status",
        "status_count",
        "statuses",
    )

    def __init__(self) -> None:
        self.responses = 0
        self.content_bytes = 0
        self.latencies = Histogram()
        self.statuses: dict[int, int] = {}
        self.status = 0  # the status seen last, and how often in a row
        self.status_count = 0
        self.errors: dict[str, int] = {}
        self.examples: dict[str, Exception] = {}  # the first error of each kind
        self.connections = 0  # that answered at least one request
        self.protocols: dict[str, int] = {}  # connections by HTTP version
        self.carrier: Any = None  # the connection seen last
        self.carriers: set[Any] = set()

    def add(self, response: Response) -> None:
        """Count one complete response."""
        exchange = response._exchange
        self.responses += 1
        self.content_bytes += exchange.received
        self.latencies.record(exchange.finished_at - exchange.sent_at)
        if exchange.status != self.status:
            self.settle()
            self.status = exchange.status
        self.status_count += 1
        if exchange.carrier is not self.carrier:
            self._meet(exchange.carrier, response.http_version)

    def add_error(self, error: Exception) -> None:
        """Count one request that got no complete response."""
        kind = type(error).__name__
        self.errors[kind] = self.errors.get(kind, 0) + 1
        self.examples.setdefault(kind, error)

    def settle(self) -> None:
        """Bring ``statuses`` up to date."""
        if self.status_count:
            self.statuses[self.status] = self.statuses.get(self.status, 0) + self.status_count
            self.status_count = 0

    def merge(self, other: Tally) -> None:
        """Add what another lane counted."""
        self.settle()
        other.settle()
        self.responses += other.responses
        self.content_bytes += other.content_bytes
        self.connections += other.connections
        self.latencies.merge(other.latencies)
        _add(self.statuses, other.statuses)
        _add(self.errors, other.errors)
        _add(self.protocols, other.protocols)
        for kind, error in other.examples.items():
            self.examples.setdefault(kind, error)

    def _meet(self, carrier: Any, protocol: str) -> None:
        """Another connection than the last one; count it if it is new."""
        self.carrier = carrier
        if carrier in self.carriers:
            return
        if len(self.carriers) >= REMEMBERED:
            self.carriers = {known for known in self.carriers if not known.lost}
        self.carriers.add(carrier)
        self.connections += 1
        self.protocols[protocol] = self.protocols.get(protocol, 0) + 1


def _add(mine: dict[Any, int], theirs: dict[Any, int]) -> None:
    for key, count in theirs.items():
        mine[key] = mine.get(key, 0) + count
