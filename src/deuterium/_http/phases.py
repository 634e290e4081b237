"""Constants of an exchange's life, shared by engines and front ends."""

from __future__ import annotations

from typing import Final

NEVER: Final = float("inf")  # a time that does not come

# Exchange.phase: what the exchange is waiting for, which names the timeout that ends it.
QUEUED: Final = 0  # for a place on a connection
SENDING: Final = 1  # for the peer to take the rest of the content
AWAITING: Final = 2  # for the peer to answer
FINISHED: Final = 3

# Exchange.delivery: how the content reaches the user.
WHOLE: Final = 0
PIECES: Final = 1

# How long content waits for 100 (Continue): curl's second (RFC 9110 section 10.1.1 asks not to wait for ever).
CONTINUE_WAIT_S: Final = 1.0

# Pieces shorter than this share of their buffer are copied, not lent: a slow consumer of small frames would otherwise
# hold many times their size.
LEND_SHARE: Final = 16  # a 16 KiB frame, the common size, of the largest buffer

# Copied pieces shorter than this are joined while the consumer is behind: an object of its own for each would be many
# times their size.
JOIN_BELOW: Final = 512
