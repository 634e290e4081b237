"""URLs: the origin a request goes to and the target it asks for, both checked before anything is sent."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

import idna
from yarl import URL

from ._memory.guard import Guard
from .errors import InvalidURL, LocalProtocolError, UnsupportedProtocol

COMPILED = not __file__.endswith((".py", ".pyc"))
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
MAX_URL: Final = 64 * 1024  # characters; servers take 8 to 64 KiB
_CACHED: Final = 4096  # URLs and origins remembered; both caches are emptied when full

# RFC 3986 section 2: what a path and query may hold as they are. Anything else goes through yarl, which encodes it.
_PLAIN_TARGET = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?%]*").fullmatch
_DOT_SEGMENT = re.compile(r"/\.\.?(?:/|\?|$)").search
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})").search
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?").fullmatch
# The URL standard's "ends in a number": resolvers read 127.1, 0x7f000001 and 2130706433 as addresses, others as names.
_NUMBER_LAST = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?").fullmatch
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]").search


class Origin:
    """Scheme, host and port (RFC 9110 section 4.3.1).

    ``host`` is ASCII, without brackets; ``authority`` is what the request says: host and, if not the default, port.
    ``key``: equal for equal origins, and a ``str``, whose hash is computed once. ``server_name``: the name to ask for
    and to verify under TLS, where it is not ``host``; connections are then apart from those of the plain origin.
    """

    __slots__ = ("authority", "host", "key", "port", "scheme", "server_name")

    def __init__(self, scheme: str, host: str, port: int, authority: str, server_name: str = "") -> None:
        self.scheme: str = scheme
        self.host: str = host
        self.port: int = port
        self.authority: str = authority
        self.server_name: str = server_name
        self.key = f"{scheme}://{authority}"
        if server_name:
            self.key = f"{self.key} as {server_name}"

    def named(self, server_name: str) -> Origin:
        """The same origin, expected under another TLS name."""
        if not server_name or server_name == self.host:
            return self
        return Origin(self.scheme, self.host, self.port, self.authority, server_name)

    def __str__(self) -> str:
        return self.key


class UrlCache:
    """Parses URLs and remembers the results. One for each client; nothing is global. Safe from any thread."""

    __slots__ = ("_guard", "_origins", "_targets")

    def __init__(self) -> None:
        self._guard = Guard()
        self._origins: dict[str, Origin] = {}
        self._targets: dict[str, tuple[Origin, str]] = {}

    def split(self, url: str) -> tuple[Origin, str]:
        """The origin and the request target (path and query) of an absolute http or https URL.

        >>> UrlCache().split("https://example.org/a?b=c#d")[1]
        '/a?b=c'

        Raises InvalidURL, or UnsupportedProtocol for another scheme.
        """
        if not COMPILED:
            found = self._targets.get(url)
        else:
            # Without a GIL a dictionary that another thread empties takes its values along between ``get`` and its use.
            self._guard.acquire()
            found = self._targets.get(url)
            self._guard.release()
        if found is not None:
            return found
        found = self._split(url)
        self._guard.acquire()
        try:
            if len(self._targets) >= _CACHED:
                self._targets.clear()
            self._targets[url] = found
        finally:
            self._guard.release()
        return found

    def _split(self, url: str) -> tuple[Origin, str]:
        if len(url) > MAX_URL:
            raise InvalidURL(f"a URL of {len(url)} characters, {MAX_URL} are allowed")
        after_scheme = url.find("://") + 3
        if after_scheme < 4:
            raise UnsupportedProtocol(
                f"the URL {url[:200]!r} does not begin with http:// or https://", request_processed=False
            )
        end = len(url)
        for mark in "/?#":
            at = url.find(mark, after_scheme, end)
            if at >= 0:
                end = at
        origin = self._origin(url[:end], after_scheme)
        target = url[end:].partition("#")[0]
        if not target.startswith("/"):
            target = "/" + target
        if not _PLAIN_TARGET(target) or _DOT_SEGMENT(target) or _BAD_ESCAPE(target):
            target = _encoded(url, target)
        return origin, target

    def _origin(self, prefix: str, after_scheme: int) -> Origin:
        self._guard.acquire()
        origin = self._origins.get(prefix)
        self._guard.release()
        if origin is None:
            origin = parse_origin(prefix, after_scheme)
            self._guard.acquire()
            try:
                if len(self._origins) >= _CACHED:
                    self._origins.clear()
                self._origins[prefix] = origin
            finally:
                self._guard.release()
        return origin


def parse_origin(prefix: str, after_scheme: int) -> Origin:
    """``scheme://authority``, checked strictly: what two parsers could read differently is refused."""
    scheme = prefix[: after_scheme - 3].lower()
    if scheme not in DEFAULT_PORTS:
        raise UnsupportedProtocol(f"the scheme {scheme[:40]!r} is not http or https", request_processed=False)
    authority = prefix[after_scheme:]
    if _FORBIDDEN(authority):
        raise InvalidURL("a space, control character or backslash in the authority")
    if "@" in authority:
        raise InvalidURL("credentials in the URL: give them by auth=(user, password)")
    if authority.startswith("["):
        inside, bracket, rest = authority[1:].partition("]")
        if "%" in inside:
            raise InvalidURL("a zone identifier in an IPv6 address, which no two parsers read alike")
        if not bracket or (rest and not rest.startswith(":")):
            raise InvalidURL(f"the IPv6 address in {authority[:200]!r} is not closed")
        try:
            host = str(IPv6Address(inside))
        except AddressValueError as error:
            raise InvalidURL(f"{inside[:200]!r} is not an IPv6 address") from error
        shown = f"[{host}]"
        port_text = rest[1:] if rest else None
    else:
        host, colon, rest = authority.partition(":")
        port_text = rest if colon else None
        host = shown = checked_host(host)
    port = DEFAULT_PORTS[scheme]
    if port_text:
        if not (port_text.isascii() and port_text.isdigit()) or not 0 < int(port_text) < 65536:
            raise InvalidURL(f"{port_text[:20]!r} is not a port")
        port = int(port_text)
    if port != DEFAULT_PORTS[scheme]:
        shown = f"{shown}:{port}"
    return Origin(scheme, host, port, shown)


def checked_authority(authority: str) -> str:
    """The value of a Host field, as it is; LocalProtocolError unless it is a host and perhaps a port."""
    try:
        parse_origin("http://" + authority, 7)
    except InvalidURL as error:
        raise LocalProtocolError(f"RFC 9110 7.2: host: {error}", request_processed=False) from error
    return authority


def checked_host(host: str) -> str:
    """The host in lower case and ASCII; InvalidURL unless it is a name or an IPv4 address."""
    lowered = host.lower()
    if not lowered:
        raise InvalidURL("a URL without a host")
    if not lowered.isascii():
        try:
            lowered = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise InvalidURL(f"the host {host[:200]!r} is not a valid internationalised name: {error}") from error
    if len(lowered) > 254 or not _HOST(lowered):
        raise InvalidURL(f"{host[:200]!r} is not a host name")
    if _NUMBER_LAST(lowered):
        try:
            IPv4Address(lowered)
        except AddressValueError as error:
            raise InvalidURL(f"{host[:200]!r} ends in a number and is not an IPv4 address") from error
    return lowered


def _encoded(url: str, target: str) -> str:
    """The target as yarl writes it: percent-encoded, dot segments resolved."""
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", target):
        raise InvalidURL("a control character or half of one in the URL")
    try:
        # An absolute URL, so that dot segments are resolved (RFC 3986 section 5.2.4).
        return URL("http://origin" + target.replace(" ", "%20")).raw_path_qs
    except ValueError as error:
        raise InvalidURL(f"{url[:200]!r}: {error}") from error
