"""Who waits for an exchange under asyncio."""

from __future__ import annotations

from asyncio import InvalidStateError
from typing import Any

from .._http.exchange import Exchange, Waiter


class FutureWaiter(Waiter):
    """Wakes one Future; a Future that was cancelled meanwhile is left alone."""

    __slots__ = ("future",)

    def __init__(self, future: Any) -> None:
        self.future = future

    def __await__(self) -> Any:
        return self.future.__await__()

    def wake(self, exchange: Exchange) -> None:
        """Set the Future's result."""
        try:  # noqa: SIM105  # contextlib.suppress costs more than the call
            self.future.set_result(None)
        except InvalidStateError:
            pass  # cancelled between the event and this call
