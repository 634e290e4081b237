"""What happens around one request: retries, replays, redirects, authentication, cookies, hooks. Decisions, no I/O.

A flow is a generator of actions. The face that runs it (``AsyncClient`` with Futures, ``Client`` with locks) carries
each one out and sends the result back, so that every rule stands here once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from random import random
from time import monotonic, time
from typing import Any

from ._http import redirects
from ._http.exchange import Exchange
from ._http.field_kind import SET_COOKIE
from ._http.phases import NEVER, WHOLE
from ._pool.retry import MISDIRECTED, Outcome, RetryState
from .auth import Auth
from .errors import HTTPError, RequestError, TooManyRedirects
from .request import Request
from .response import Response, request_of


class Send:
    """Submit the exchange and wait: for the whole response, or for its header section if it comes in pieces."""

    __slots__ = ("exchange",)

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange


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
    """Call ``function(argument)``; under asyncio, await what it returns if that can be awaited."""

    __slots__ = ("argument", "function")

    def __init__(self, function: Callable[[Any], Any], argument: Any) -> None:
        self.function = function
        self.argument = argument


Action = Send | Pause | Drop | Read | Call
Flow = Generator[Action, None, Response]


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
    ) -> Generator[Action, None, Exchange]:
        """Send until there is an answer to hand over, or an error that sending again would not mend."""
        core = self.core
        state: RetryState | None = None
        exchange = first
        policy = core.retry
        core.budget.request(monotonic())
        while True:
            permit = None
            if exchange is None:
                exchange = core.exchange(request, delivery)
                permit = core.permit(request)
                try:
                    yield Send(exchange)
                except BaseException:
                    if permit is not None:
                        permit.ignored(monotonic())
                    raise
            now = monotonic()
            error: Any = exchange.error
            if permit is not None:
                core.report(permit, exchange, now)
            if error is not None and exchange.headers_received and delivery != WHOLE:
                error = None  # a stream that broke after its header section: its reader is told
            if error is None and exchange.status not in policy.statuses and exchange.status != MISDIRECTED:
                return exchange
            if error is not None and not isinstance(error, RequestError):
                raise error
            if state is None:
                state = RetryState(policy, core.budget, random, request.method, exchange.sent_at)
            core.learn(exchange, error, now)
            action = state.next_action(
                now,
                Outcome(
                    error=error,
                    status=exchange.status if error is None else 0,
                    retry_after=core.retry_after(exchange) if error is None else None,
                    wall_now=time(),
                    body_replayable=request.replayable,
                ),
            )
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
