"""Octets read as a URL, and as a Location seen from one: refused, or read as every other parser reads it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from deuterium._http import redirects
from deuterium.errors import InvalidURL, RequestError, UnsupportedProtocol
from deuterium.url import UrlCache

HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+").fullmatch
TARGET = re.compile(r"/[!-\"$-~]*").fullmatch  # no space, control character, "#", or octet outside ASCII
BASE = "https://example.org/a/b?c#d"


def run(octets: bytes) -> None:
    """Raises for a finding."""
    text = octets.decode("utf-8", "surrogateescape")
    for url in (text, "https://" + text, "http://host/" + text):
        check(url)
    try:
        target = redirects.resolve(BASE, octets.decode("latin-1"))
    except RequestError:
        return
    check(target)


def check(url: str) -> None:
    """Split it; what came out, put together, splits into the same."""
    cache = UrlCache()
    try:
        origin, target = cache.split(url)
    except (InvalidURL, UnsupportedProtocol):
        return
    assert origin.scheme in ("http", "https")
    assert 0 < origin.port < 65_536
    assert HOST(origin.host), origin.host
    assert TARGET(target), target
    again_origin, again = UrlCache().split(f"{origin.scheme}://{origin.authority}{target}")
    assert (again_origin.key, again_origin.host, again_origin.port) == (origin.key, origin.host, origin.port)
    assert again == target
    other = urlsplit(f"{origin.scheme}://{origin.authority}{target}")
    assert other.hostname == origin.host
    assert (other.port or (443 if origin.scheme == "https" else 80)) == origin.port
    assert other.username is None
    assert other.password is None
