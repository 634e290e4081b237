"""What begins and ends with the client that a transport belongs to."""

from __future__ import annotations


class Lifespan:
    """Nothing does; ASGI applications have more to say."""

    async def begin(self) -> None:
        """Before the first request."""

    async def end(self) -> None:
        """After the last."""
