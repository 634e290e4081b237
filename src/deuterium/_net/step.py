"""An object that is awaited as a coroutine is: how an await expression asks it for its next step, in C."""

from __future__ import annotations

from typing import Any


def thrown(kind: Any, value: Any, traceback: Any) -> BaseException:
    """What a coroutine's ``throw`` was given, as one exception."""
    if isinstance(kind, BaseException):
        error = kind
    elif isinstance(value, BaseException):
        error = value
    else:
        error = kind() if value is None else kind(value)
    return error if traceback is None else error.with_traceback(traceback)
