"""Patterns of origins, as httpx has them: what each stands for, and which is the most specific."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def host_and_port(entry: str) -> tuple[str, int | None]:
    """``host``, ``host:port``, ``[address]:port`` or an address with colons of its own."""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        port = rest.removeprefix(":")
    elif entry.count(":") == 1:
        host, _, port = entry.partition(":")
    else:
        host, port = entry, ""
    return host, int(port) if port.isascii() and port.isdigit() else None


class Pattern:
    """A scheme or ``all``, a host, one below a host, or any, and perhaps a port; and what it stands for.

    Raises ValueError for a text that is none.
    """

    __slots__ = ("below", "host", "port", "scheme", "value")

    def __init__(self, text: str, value: Any) -> None:
        scheme, separator, authority = text.lower().partition("://")
        if not separator or scheme not in ("all", "http", "https"):
            raise ValueError(f"{text!r} is not all://, http:// or https://, with or without a host")
        host, self.port = host_and_port(authority.rstrip("/"))
        self.below = host.startswith("*.")
        self.host = host.removeprefix("*").lstrip(".")
        self.scheme = scheme
        self.value = value

    def matches(self, scheme: str, host: str, port: int) -> bool:
        """Whether the origin is one of those meant."""
        if self.scheme not in ("all", scheme) or self.port not in (None, port):
            return False
        if not self.host:
            return True
        return host.endswith("." + self.host) if self.below else host == self.host


class Patterns:
    """Values by pattern.

    >>> patterns = Patterns({"all://": 1, "all://*.example.org": 2, "http://www.example.org": 3})
    >>> patterns.find("https", "www.example.org", 443).value
    2
    """

    __slots__ = ("_patterns",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._patterns = sorted((Pattern(text, value) for text, value in values.items()), key=_specific)

    def find(self, scheme: str, host: str, port: int) -> Pattern | None:
        """The most specific pattern that matches an origin."""
        return next((pattern for pattern in self._patterns if pattern.matches(scheme, host, port)), None)

    def __bool__(self) -> bool:
        return bool(self._patterns)


def _specific(pattern: Pattern) -> tuple[bool, int, bool]:
    """The order of patterns: a port before none, a longer host before a shorter, a scheme before all."""
    return (pattern.port is None, -len(pattern.host), pattern.scheme == "all")
