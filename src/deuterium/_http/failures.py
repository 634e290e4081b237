"""Errors every engine makes the same way: for a phase that took too long, and one failure for several exchanges."""

from __future__ import annotations

from ..errors import (
    GoAway,
    PoolTimeout,
    ProxyError,
    ReadTimeout,
    RemoteProtocolError,
    RequestError,
    TotalTimeout,
    WriteTimeout,
)
from .exchange import Exchange
from .phases import QUEUED, SENDING


def timeout_error(exchange: Exchange, now: float) -> RequestError:
    """The error for the phase that took too long."""
    processed = False if exchange.phase == QUEUED else None
    if exchange.deadline <= now:
        return TotalTimeout("the exchange passed its total deadline", request_processed=processed)
    if exchange.phase == QUEUED:
        return PoolTimeout("no stream came free in time", request_processed=False)
    if exchange.phase == SENDING:
        return WriteTimeout("the peer took no more of the request's content in time")
    return ReadTimeout("the peer sent nothing of the response in time")


def copy_error(error: RequestError, processed: bool | None) -> RequestError:
    """The same failure for another exchange: exceptions carry a traceback each, so none is shared."""
    if isinstance(error, GoAway):
        return GoAway(str(error), last_stream_id=error.last_stream_id, code=error.code, request_processed=processed)
    kind = RemoteProtocolError if isinstance(error, RemoteProtocolError) else type(error)
    copy = kind(str(error), scope=error.scope, code=error.code, initiator=error.initiator, request_processed=processed)
    copy.__cause__ = error.__cause__
    if isinstance(copy, ProxyError) and isinstance(error, ProxyError):
        copy.status_code = error.status_code
    return copy
