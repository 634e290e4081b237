"""What happens around one request: retries, replays, redirects, authentication, cookies, hooks. Decisions, no I/O.

A flow is a generator of actions. The face that runs it (``AsyncClient`` with Futures, ``Client`` with locks) carries
each one out and sends the result back, so that every rule stands here once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from random import random
from time import monotonic, time
from typing import Any

from ._http import redirects
from ._http.exchange import Exchange
from ._http.field_kind import SET_COOKIE
from ._http.phases import FINISHED, NEVER, WHOLE
from ._pool.breaker_store import StoreQuestion
from ._pool.retry import MISDIRECTED, Outcome, RetryState
from .auth import Auth, OwnSteps, has_own_flow
from .errors import CircuitOpen, HTTPError, RequestError, StreamConsumed, TooManyRedirects
from .headers import Headers
from .request import Request
from .response import Response, request_of


class Send:
    """Submit the exchange and wait: for the whole response, or for its header section if it comes in pieces."""

    __slots__ = ("exchange",)

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange


class Hear:
    """Wait on for an exchange that was sent: for more than ``heard`` informational responses, or for what ``Send``
    waits for. Its streamed content goes out meanwhile.
    """

    __slots__ = ("exchange", "heard")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.heard = 0

    def is_answered(self) -> bool:
        """The exchange is over, or has its header section if it comes in pieces."""
        exchange = self.exchange
        return exchange.phase == FINISHED or (exchange.headers_received and exchange.delivery != WHOLE)

    def has_news(self) -> bool:
        """There is nothing to wait for."""
        return self.is_answered() or len(self.exchange.informational or ()) > self.heard


class Pause:
    """Wait ``delay_s`` seconds."""

    __slots__ = ("delay_s",)

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s


class Drop:
    """Nobody will read the rest of this response."""

    __slots__ = ("response",)

    def __init__(self, response: Response) -> None:
        self.response = response


class Read:
    """Read the response to its end."""

    __slots__ = ("response",)

    def __init__(self, response: Response) -> None:
        self.response = response


class Call:
    """Call ``function(argument)``, under asyncio await what it returns if that can be awaited; send the result back."""

    __slots__ = ("argument", "function")

    def __init__(self, function: Callable[[Any], Any], argument: Any) -> None:
        self.function = function
        self.argument = argument


class Race:
    """Submit the exchanges that are not under way yet, and wait until one of them is over, or has its header section if
    it comes in pieces: that one is sent back, or None when the time is ``until``.

    Whatever interrupts the wait cancels them all. One object serves a request to its end; ``face`` is the face's own.
    """

    __slots__ = ("exchanges", "face", "until")

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.until = NEVER
        self.face: Any = None


class Consult:
    """Ask the breakers' store, which blocks, beside the request; wait a little for the first answer."""

    __slots__ = ("question",)

    def __init__(self, question: StoreQuestion) -> None:
        self.question = question


Action = Send | Hear | Pause | Drop | Read | Call | Race | Consult
Flow = Generator[Action, Any, Response]


class Flows:
    """Makes the flows of one client. ``core`` holds its options; ``source(exchange)`` makes a streamed body."""

    __slots__ = ("core", "make_source")

    def __init__(self, core: Any, make_source: Callable[[Exchange], Any]) -> None:
        self.core = core
        self.make_source = make_source

    def run(
        self,
        request: Request | None,
        delivery: int,
        auth: Auth | None,
        follow_redirects: bool,
        first: Exchange | None = None,
    ) -> Flow:
        """The whole of it. ``first``: an exchange of the request that is already over, with what it brought."""
        if request is None:
            assert first is not None
            request = request_of(first)
        for hook in self.core.event_hooks["request"]:
            yield Call(hook, request)
        if auth is None:
            response = yield from self._redirects(request, delivery, follow_redirects, first)
        elif has_own_flow(auth, self.core.asynchronous):
            response = yield from self._own_authentication(request, delivery, auth, follow_redirects)
        else:
            response = yield from self._authentication(request, delivery, auth, follow_redirects)
        for hook in self.core.event_hooks["response"]:
            yield Call(hook, response)
        return response

    def _authentication(
        self, request: Request, delivery: int, auth: Auth, follow_redirects: bool
    ) -> Flow:
        """Each request the scheme asks for, until it is satisfied."""
        history: list[Response] = []
        steps = auth.auth_flow(request)
        try:
            request = next(steps)
            while True:
                response = yield from self._redirects(request, delivery, follow_redirects, None)
                response.history = history + (response.history or [])
                if auth.requires_response_body:
                    yield Read(response)
                try:
                    request = steps.send(response)
                except StopIteration:
                    return response
                history.append(response)
                yield Drop(response)
        finally:
            steps.close()

    def _own_authentication(self, request: Request, delivery: int, auth: Auth, follow_redirects: bool) -> Flow:
        """The same for a scheme whose flow does I/O of its own, which the face must run."""
        history: list[Response] = []
        steps = OwnSteps(auth, request, self.core.asynchronous)
        try:
            following = yield Call(steps.advance, None)
            while True:
                response: Response = yield from self._redirects(following, delivery, follow_redirects, None)
                response.history = history + (response.history or [])
                following = yield Call(steps.advance, response)
                if following is None:
                    return response
                history.append(response)
                yield Drop(response)
        except Exception:
            yield Call(steps.close, None)
            raise

    def _redirects(
        self, request: Request, delivery: int, follow_redirects: bool, first: Exchange | None
    ) -> Flow:
        core = self.core
        history: list[Response] = []
        anywhere = True
        while True:
            core.add_cookies(request, anywhere)
            exchange = yield from self._attempts(request, delivery, first)
            first = None
            if exchange.kinds & SET_COOKIE:
                core.take_cookies(exchange)
            response = Response(
                exchange, None if delivery == WHOLE else self.make_source(exchange), core
            )
            response.history = list(history)
            if not 300 < exchange.status < 400:
                return response
            try:
                decision = redirects.decide(
                    request.method,
                    str(request.url),
                    exchange.status,
                    response.headers.get_list("location"),
                    replayable=request.replayable,
                )
                if decision is None:
                    return response
                following = core.redirected(request, decision)
            except (RequestError, StreamConsumed):
                if follow_redirects:
                    raise
                return response  # a redirect that cannot be followed, and need not be
            if not follow_redirects:
                response.next_request = following
                return response
            if len(history) >= core.max_redirects:
                error = TooManyRedirects(f"more than {core.max_redirects} redirects")
                error.request = request
                raise error
            history.append(response)
            yield Drop(response)
            anywhere = anywhere and not decision.crosses_origin
            request = following

    def _attempts(
        self, request: Request, delivery: int, first: Exchange | None
    ) -> Generator[Action, Any, Exchange]:
        """Send until there is an answer to hand over, or an error that sending again would not mend."""
        core = self.core
        state: RetryState | None = None
        exchange = first
        policy = core.retry
        if policy.hedges and first is None and request.method in policy.methods and request.stream is None:
            exchange = yield from self._copies(request, delivery)
            yield from self._tell(request, exchange)
            return exchange
        core.budget.request(monotonic())
        while True:
            if core.breaker_store is not None:
                yield from self._consult(request)
            permit = None
            if exchange is None:
                exchange = core.exchange(request, delivery)
                permit = core.permit(request)
                try:
                    exchange.hears_informational = bool(core.event_hooks.get("informational"))
                    yield Send(exchange)
                    yield from self._tell(request, exchange)
                except BaseException:
                    if permit is not None:
                        permit.ignored(monotonic())
                    raise
            now = monotonic()
            error: Any = exchange.error
            if permit is not None:
                core.report(permit, exchange, now)
                if core.breaker_store is not None:
                    yield from self._consult(request)
            if error is not None and exchange.headers_received and delivery != WHOLE:
                error = None  # a stream that broke after its header section: its reader is told
            if error is None and exchange.status not in policy.statuses and exchange.status != MISDIRECTED:
                return exchange
            if error is not None and not isinstance(error, RequestError):
                raise error
            if state is None:
                state = RetryState(policy, core.budget, random, request.method, exchange.sent_at)
            action = state.next_action(now, self._outcome(request, exchange, error, now))
            deadline = exchange.deadline
            if action.verb not in ("retry", "replay") or (deadline != NEVER and now + action.delay_s >= deadline):
                if error is None:
                    return exchange
                if isinstance(error, HTTPError):
                    error.request = request
                raise error
            if error is None and delivery != WHOLE:
                yield Drop(Response(exchange, self.make_source(exchange), core))
            if action.delay_s > 0:
                yield Pause(action.delay_s)
            exchange = None
            request.deadline = deadline
            core.budget.resent()

    def _tell(self, request: Request, exchange: Exchange) -> Generator[Action, Any, None]:
        """Call the hooks for each informational response (RFC 9110 section 15.2) until the exchange is answered.

        What a hook raises ends the exchange.
        """
        hooks = self.core.event_hooks.get("informational")
        if not hooks:
            return
        hear = Hear(exchange)
        try:
            while True:
                answered = hear.is_answered()  # nothing comes after it, so what is here by now is all
                for status, pairs in (exchange.informational or [])[hear.heard :]:
                    hear.heard += 1
                    for hook in hooks:
                        yield Call(partial(hook, request, status), Headers.from_pairs(pairs))
                if answered:
                    return
                yield hear
        except BaseException:
            self.core.abandon(exchange)
            raise

    def _copies(self, request: Request, delivery: int) -> Generator[Action, Any, Exchange]:
        """The same for an idempotent request of which several copies may be under way: the first good answer wins."""
        core = self.core
        policy = core.retry
        race = Race()
        permits: dict[Exchange, Any] = {}
        now = monotonic()
        state = RetryState(policy, core.budget, random, request.method, now)
        core.budget.request(now)
        due = now  # when the next copy goes out
        hedging = True
        try:
            while True:
                if due <= now:
                    due = NEVER
                    if core.breaker_store is not None:
                        yield from self._consult(request)
                    try:
                        permit = core.permit(request)
                    except CircuitOpen:
                        if not race.exchanges:
                            raise
                        hedging = False
                        state.unsent()
                    else:
                        exchange = core.exchange(request, delivery)
                        request.deadline = exchange.deadline
                        permits[exchange] = permit
                        race.exchanges.append(exchange)
                hedge_at = state.hedge_at() if hedging else None
                race.until = min(due, NEVER if hedge_at is None else hedge_at)
                over: Exchange | None = yield race
                now = monotonic()
                if over is None:
                    if due > now and hedge_at is not None:
                        if state.take_hedge(now):
                            core.budget.resent()
                            due = now
                        else:
                            hedging = False  # the budget is spent
                    continue
                race.exchanges.remove(over)
                permit = permits.pop(over)
                error: Any = over.error
                if permit is not None:
                    core.report(permit, over, now)
                if error is not None and over.headers_received and delivery != WHOLE:
                    error = None  # a stream that broke after its header section: its reader is told
                if error is None and over.status not in policy.statuses and over.status != MISDIRECTED:
                    return over
                if error is not None and not isinstance(error, RequestError):
                    raise error
                action = state.next_action(now, self._outcome(request, over, error, now))
                late = over.deadline != NEVER and now + action.delay_s >= over.deadline
                if action.verb == "give_up" or (late and not race.exchanges):
                    if error is None:
                        return over
                    if isinstance(error, HTTPError):
                        error.request = request
                    raise error
                if error is None and delivery != WHOLE:
                    yield Drop(Response(over, self.make_source(over), core))
                if action.verb != "wait":
                    due = now + action.delay_s
                    core.budget.resent()
        finally:
            now = monotonic()
            for permit in permits.values():
                if permit is not None:
                    permit.ignored(now)
            for exchange in race.exchanges:
                core.abandon(exchange)

    def _outcome(self, request: Request, exchange: Exchange, error: Any, now: float) -> Outcome:
        http1_required = self.core.learn(exchange, error, now)
        return Outcome(
            error=error,
            status=exchange.status if error is None else 0,
            retry_after=self.core.retry_after(exchange) if error is None else None,
            wall_now=time(),
            body_replayable=request.replayable,
            http1_required=http1_required,
        )

    def _consult(self, request: Request) -> Generator[Action, Any, None]:
        question = self.core.store_question(request)
        if question is not None:
            yield Consult(question)
