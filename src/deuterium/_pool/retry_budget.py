"""How many retries a client may send, as a share of its requests.

Each retry adds load to a server that may fail for load; so retries by policy are bounded by what the client
sends anyway:
``share`` of the requests of the last ``window_s`` seconds, plus ``minimum_per_s`` for a client that sends
little. Values and window are Finagle's (``RetryBudget``: 20 %, 10 per second, 10 s), as in tower and reqwest;
where those keep a bucket of tokens, this counts requests and retries of one window, which makes the bound
exact: whenever a retry is granted, the window holds no more of them than the formula allows.
"""

from __future__ import annotations

from deuterium._memory.guard import Guard

from .rolling_counts import RollingCounts

REQUESTS = 0
RETRIES = 1

ROUNDING = 1e-9  # 0.29 x 100 is 28.999999999999996


class RetryBudget:
    """One client's budget, safe from any thread: flows draw on it while the pool's housekeeping adds to it.

    >>> budget = RetryBudget(share=0.5, minimum_per_s=0.0, window_s=10.0)
    >>> budget.request(0.0); budget.request(0.0)
    >>> budget.take(0.0), budget.take(0.0)
    (True, False)
    """

    __slots__ = ("counts", "guard", "known", "minimum", "refused", "seen", "share", "taken")

    def __init__(self, share: float, minimum_per_s: float, window_s: float) -> None:
        self.guard = Guard()
        self.share = share
        self.minimum = minimum_per_s * window_s
        self.counts = RollingCounts(window_s, 2)
        self.taken = 0
        self.refused = 0
        self.seen = 0  # requests the connections had carried at the last ``observe``
        self.known = 0  # requests reported one by one since then, however often they were sent

    def request(self, now: float) -> None:
        """A first attempt is sent."""
        self.guard.acquire()
        try:
            self.counts.add(REQUESTS, now)
            self.known += 1
        finally:
            self.guard.release()

    def resent(self) -> None:
        """A request is sent once more; for whatever reason, that is no request of its own."""
        self.guard.acquire()
        self.known += 1
        self.guard.release()

    def observe(self, carried: int, now: float) -> None:
        """The connections have carried so many requests in all: those that nobody reported count from now on.

        A request that succeeds at once is not reported, so that it costs nothing; this is called once a second or so.
        """
        self.guard.acquire()
        try:
            more = carried - self.seen - self.known
            self.seen = carried
            self.known = 0
            if more > 0:
                self.counts.add_many(REQUESTS, more, now)
        finally:
            self.guard.release()

    def take(self, now: float) -> bool:
        """Pay for one retry; False when the budget is spent."""
        self.guard.acquire()
        try:
            if self._balance(now) < 1.0 - ROUNDING:
                self.refused += 1
                return False
            self.counts.add(RETRIES, now)
            self.taken += 1
            return True
        finally:
            self.guard.release()

    def balance(self, now: float) -> float:
        """How many retries are left within the window ending now."""
        self.guard.acquire()
        try:
            return self._balance(now)
        finally:
            self.guard.release()

    def _balance(self, now: float) -> float:
        requests = self.counts.total(REQUESTS, now)
        return self.minimum + self.share * requests - self.counts.total(RETRIES, now)
