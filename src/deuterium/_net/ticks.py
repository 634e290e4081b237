"""How long a thread waits for the network before it looks round."""

from __future__ import annotations

from typing import Final

# For housekeeping that is due, and for output that a thread which gave up could not write. Nobody needs to be able to
# wake a reader sooner, so a connection has no descriptor but its socket.
TICK_S: Final = 1.0
# A writer that is not the reader learns that late that its own exchange is over.
WRITER_TICK_S: Final = 0.1
# While threads are about to be let through one by one, somebody looks that often whether it goes on: the least poll can
# wait.
GUARD_S: Final = 0.001
