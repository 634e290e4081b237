"""What is set on a TCP socket before it connects, whichever front end uses it."""

from __future__ import annotations

import os
import socket
from typing import Any

from ..config import TransportOptions


def prepare(sock: socket.socket, options: TransportOptions) -> None:
    """No delay, keep-alive, and the user's own options, which come last and win. Raises OSError."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if options.keepalive_s is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name in ("TCP_KEEPIDLE", "TCP_KEEPALIVE", "TCP_KEEPINTVL"):  # the second is macOS's name for the first
            number = getattr(socket, name, None)
            if number is not None:
                sock.setsockopt(socket.IPPROTO_TCP, number, options.keepalive_s)
    for level, name_number, value in options.socket_options:
        sock.setsockopt(level, name_number, value)


def lead_nowhere(sock: Any) -> None:
    """Put the null device behind the socket's descriptor: whatever this process still does with it reaches no peer, and
    no event loop that a parent process shares. Closing it could end the watch that a parent's loop keeps on it."""
    number = sock.fileno()
    if number < 0:
        return
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, number, inheritable=False)
    os.close(null)


def local_address(options: TransportOptions) -> tuple[int, tuple[str, int]] | None:
    """Family and socket address to bind to; None: the kernel chooses."""
    text = options.local_address
    if text is None:
        return None
    return (socket.AF_INET6 if ":" in text else socket.AF_INET), (text, 0)
