"""What to do when an attempt did not end well: give up, send again, or wait for a hedge that is still out.

Two rules, which never mix:

*Replay* (RFC 9113 section 8.7). ``error.request_processed`` is False: the peer provably did not act on the
request, so it is sent again whatever its method, at once the first time and with back-off after that, at most
``RetryPolicy.replays`` times. No budget applies: nothing was done twice. A 421 is such a refusal said by
status (RFC 9110 section 15.5.20), and answered once, on another connection. HTTP_1_1_REQUIRED before any of the
response (RFC 9113 section 7) is one too: the peer will have the request over HTTP/1.1 only, and gets it so, once.
Section 8.7 does not name it among its guarantees, but no peer can want that and have acted; Chrome and curl send
again, whatever the method.

*Retry*. ``request_processed`` is None or True, or the status is one the policy names: sent again only if the
method is idempotent (RFC 9110 section 9.2.2), within ``attempts`` and the budget, after back-off with full
jitter or what Retry-After asks for. A POST is never among these.

A failure to connect is no refusal: nobody said that trying again will go better. It is replayed whatever the
method, within ``attempts``
and always with back-off, and not at all when it was this side that refused the peer (a certificate).

Full jitter: delay = random() x min(max, base x growth^n), the variant with the least work and the least
contention in Brooker, "Exponential Backoff And Jitter" (AWS, 2015).

Hedging (Dean and Barroso, "The Tail at Scale", 2013; gRFC A6): copies of an idempotent request, each sent
``hedge_delay_s`` after the last while no answer came; a failure sends the next at once. Copies come out of
the same budget, and first, retries and hedges together are at most MAX_ATTEMPTS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal

from ..config import MAX_ATTEMPTS, RetryPolicy
from ..errors import (
    CircuitOpen,
    ConnectError,
    DecodingError,
    LocalProtocolError,
    PoolTimeout,
    ProxyError,
    RequestError,
    TimeoutException,
    TooManyRedirects,
    TotalTimeout,
    UnsupportedProtocol,
)
from .retry_budget import RetryBudget

MISDIRECTED = 421
HTTP_1_1_REQUIRED = 0x0D
REPLAY_BACKOFF_S = 0.01  # a refusal costs the server nothing, so the waits are short
REPLAY_MAX_BACKOFF_S = 0.5
MAX_DELTA_DIGITS = 10  # of Retry-After; more than 300 years

# Sent again, these end the same way: the caller's fault, the caller's limit, or nothing to do with sending.
FINAL = (
    CircuitOpen,
    DecodingError,
    LocalProtocolError,
    PoolTimeout,
    TooManyRedirects,
    TotalTimeout,
    UnsupportedProtocol,
)

Verb = Literal["give_up", "retry", "replay", "wait"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: an ``error``, or a response's ``status`` with its Retry-After field value.

    ``wall_now`` is the time since the epoch, in seconds, against which a Retry-After date counts; best the
    response's own Date, so that the clocks need not agree. ``body_replayable`` is False once a part of a body
    was read that cannot be read again. ``http1_required``: the peer reset the stream for that before it said
    anything else, and the next attempt goes over HTTP/1.1.
    """

    error: RequestError | None = None
    status: int = 0
    retry_after: str | None = None
    wall_now: float = 0.0
    body_replayable: bool = True
    http1_required: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """What the front end does next.

    ``give_up``: the outcome goes to the caller, copies still out are cancelled. ``retry`` and ``replay``:
    send again after ``delay_s``; ``elsewhere``: not on the connection that just failed. ``wait``: another
    copy is still out.
    """

    verb: Verb
    reason: str
    delay_s: float = 0.0
    elsewhere: bool = False


class RetryState:
    """The attempts of one request. Made when the first attempt is sent, or with that time when it failed.

    ``random`` returns floats in [0, 1). Whoever gets ``retry`` or ``replay`` sends one more attempt, and asks
    again when it ends.
    """

    __slots__ = (
        "budget",
        "connect_failures",
        "hedges",
        "in_flight",
        "last_sent",
        "method",
        "misdirected",
        "policy",
        "random",
        "replays",
        "sent",
        "told_http1",
    )

    def __init__(
        self,
        policy: RetryPolicy,
        budget: RetryBudget,
        random: Callable[[], float],
        method: str,
        sent_at: float,
    ) -> None:
        self.policy = policy
        self.budget = budget
        self.random = random
        self.method = method
        self.last_sent = sent_at
        self.sent = 1  # by policy: the first, retries and hedges; replays are not among them
        self.in_flight = 1
        self.replays = 0
        self.hedges = 0
        self.connect_failures = 0
        self.misdirected = False
        self.told_http1 = False

    def next_action(self, now: float, outcome: Outcome) -> Action:
        """The rule for an attempt that ended in ``outcome`` at ``now``."""
        self.in_flight -= 1
        action = self._decide(now, outcome)
        if action.verb in ("retry", "replay"):
            self.in_flight += 1
            self.last_sent = now + action.delay_s
        return action

    def hedge_at(self) -> float | None:
        """When the next copy is due if no answer has come by then; None: no further copy."""
        policy = self.policy
        if self.hedges >= policy.hedges or self.sent >= MAX_ATTEMPTS or self.method not in policy.methods:
            return None
        return self.last_sent + policy.hedge_delay_s

    def take_hedge(self, now: float) -> bool:
        """Claim the copy that is due; the caller sends it if True and the body can be read once more."""
        due = self.hedge_at()
        if due is None or now < due or not self.budget.take(now):
            return False
        self.hedges += 1
        self.sent += 1
        self.in_flight += 1
        self.last_sent = now
        return True

    def unsent(self) -> None:
        """An attempt that was granted was not sent after all, and others are under way."""
        self.in_flight -= 1

    def _decide(self, now: float, outcome: Outcome) -> Action:
        error = outcome.error
        if error is not None:
            if isinstance(error, FINAL) or error.initiator == "user":
                return Action("give_up", "sending it again would end the same way")
            if isinstance(error, TimeoutException) and not self.policy.timeouts:
                return self._stop("a timeout is final by policy")
        elif outcome.status != MISDIRECTED and outcome.status not in self.policy.statuses:
            return Action("give_up", "answered")
        if not outcome.body_replayable:
            return self._stop("the body cannot be sent again")
        if error is None:
            return self._misdirected() if outcome.status == MISDIRECTED else self._retry(now, outcome)
        if outcome.http1_required and not self.told_http1 and self.policy.replays > 0:
            self.told_http1 = True
            return Action("replay", "HTTP/1.1 is required", elsewhere=True)
        if error.request_processed is not False:
            return self._retry(now, outcome)
        if isinstance(error, ConnectError | ProxyError | TimeoutException):
            return self._reconnect(error)
        return self._replay()

    def _replay(self) -> Action:
        if self.replays >= self.policy.replays:
            return self._stop(f"refused {self.replays + 1} times")
        delay_s = 0.0
        if self.replays > 0:
            delay_s = self.random() * min(REPLAY_MAX_BACKOFF_S, REPLAY_BACKOFF_S * 2.0 ** (self.replays - 1))
        self.replays += 1
        return Action("replay", "the peer did not process it", delay_s, elsewhere=True)

    def _misdirected(self) -> Action:
        # A 421 may be retried over a different connection, idempotent or not (RFC 9110 section 15.5.20). A
        # second one came over just that.
        if self.misdirected or self.policy.replays == 0:
            return Action("give_up", "misdirected on a connection of its own")
        self.misdirected = True
        return Action("replay", "misdirected", elsewhere=True)

    def _reconnect(self, error: RequestError) -> Action:
        if error.initiator != "remote" and not isinstance(error, TimeoutException):
            return self._stop("this side refused the peer")
        if self.connect_failures + 1 >= self.policy.attempts:
            return self._stop(f"no connection in {self.connect_failures + 1} attempts")
        self.connect_failures += 1
        return Action("replay", "no connection", self._backoff_s(self.connect_failures - 1))

    def _retry(self, now: float, outcome: Outcome) -> Action:
        policy = self.policy
        if self.method not in policy.methods:
            return self._stop("it may have been processed and is not idempotent")
        asked_s: float | None = None
        if outcome.retry_after is not None:
            asked_s = retry_after_s(outcome.retry_after, outcome.wall_now)
        if self.in_flight > 0:
            if asked_s is None:
                self.last_sent = now - policy.hedge_delay_s  # the next copy is due now
            else:
                self.last_sent = now + asked_s - policy.hedge_delay_s
            return Action("wait", "another copy is out")
        if self.sent >= policy.attempts:
            return self._stop(f"{self.sent} attempts were made")
        if asked_s is not None and asked_s > policy.max_retry_after_s:
            return self._stop("Retry-After is longer than the policy waits")
        if not self.budget.take(now):
            return self._stop("the retry budget is spent")
        delay_s = (asked_s or 0.0) + self._backoff_s(self.sent - 1)
        self.sent += 1
        return Action("retry", "allowed by policy", delay_s, elsewhere=outcome.error is not None)

    def _stop(self, reason: str) -> Action:
        return Action("wait" if self.in_flight > 0 else "give_up", reason)

    def _backoff_s(self, step: int) -> float:
        policy = self.policy
        return self.random() * min(policy.max_backoff_s, policy.backoff_s * policy.backoff_growth**step)


def retry_after_s(value: str, wall_now: float) -> float | None:
    """Seconds to wait by a Retry-After field value (RFC 9110 section 10.2.3); None when it is neither form.

    >>> retry_after_s("120", 0.0), retry_after_s("soon", 0.0)
    (120.0, None)
    >>> retry_after_s("Thu, 01 Jan 1970 00:01:00 GMT", 30.0)
    30.0
    """
    value = value.strip(" \t")
    if value.isascii() and value.isdigit():
        return float(value) if len(value) <= MAX_DELTA_DIGITS else float("inf")
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    # An HTTP-date is in GMT, said (IMF-fixdate, RFC 850) or not (asctime): RFC 9110 section 5.6.7.
    stamp = (date if date.tzinfo is not None else date.replace(tzinfo=UTC)).timestamp()
    return max(0.0, stamp - wall_now)
