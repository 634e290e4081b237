"""What a redirect asks for, decided without I/O (RFC 9110 section 15.4; methods as the Fetch standard changes them).

Secrets stay with the origin they were given for: on another scheme, host or port, ``drop`` names Authorization, Cookie
and Proxy-Authorization. The next decision starts from the request that was stripped, so nothing comes back when a later
redirect returns to the first origin. A redirect from https to http is followed, as browsers do, without the secrets,
unless the caller forbids it; any other scheme is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from ..errors import RemoteProtocolError, StreamConsumed, UnsupportedProtocol

FOLLOWED: Final = frozenset({301, 302, 303, 307, 308})
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

SECRETS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
# Fetch standard, "request-body-header name", and what frames or announces content.
CONTENT_FIELDS: Final = frozenset(
    {
        "content-digest",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-type",
        "digest",
        "expect",
        "repr-digest",
        "trailer",
        "transfer-encoding",
    }
)

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]").search
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):").match
_NAME = re.compile(r"[^\x00-\x20\x7f\"#%/:<>?@\[\\\]^`{|}]+").fullmatch
_ADDRESS = re.compile(r"\[[0-9A-Fa-f:.]+\]").fullmatch
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_KEPT: Final = "!$%&'()*+,/:;=?@[]~"  # with letters, digits and -._: what stays as it is in path, query and fragment


@dataclass(frozen=True, slots=True)
class Redirect:
    """The next request. ``drop``: lower-case names of the fields it must not take over.

    ``crosses_origin``: credentials that are not fields (an Auth object, cookies without a domain) must not go along.
    """

    method: str
    url: str
    keeps_content: bool
    crosses_origin: bool
    drop: frozenset[str]


def decide(
    method: str,
    url: str,
    status: int,
    locations: Sequence[str],
    *,
    replayable: bool = True,
    allow_downgrade: bool = True,
) -> Redirect | None:
    """What to send after a response of ``status`` with these Location values; None if it is no redirect.

    ``url``: absolute, of the request that was answered. ``replayable``: its content can be sent again.

    >>> decide("POST", "https://a.example/x", 303, ["/y"]).url
    'https://a.example/y'

    Raises RemoteProtocolError for a malformed Location or a forbidden downgrade, UnsupportedProtocol for a scheme other
    than http and https, StreamConsumed when the content is needed again and gone.
    """
    if status not in FOLLOWED or not locations:
        return None
    if any(location != locations[0] for location in locations):
        raise RemoteProtocolError("several Location fields that differ")
    target = resolve(url, locations[0])
    next_method, keeps_content = _method(method, status)
    if keeps_content and not replayable:
        raise StreamConsumed(f"the redirect ({status}) asks for the content again, which can be sent once only")
    here, there = _origin(url), _origin(target)
    crosses = here != there
    downgrade = here[0] == "https" and there[0] == "http"
    if downgrade and not allow_downgrade:
        raise RemoteProtocolError("the redirect leads from https to http")
    drop: set[str] = set()
    if not keeps_content:
        drop |= CONTENT_FIELDS
    if crosses:
        drop |= SECRETS | {"host"}
    if downgrade:
        drop.add("referer")  # RFC 9110 section 10.1.3
    return Redirect(next_method, target, keeps_content, crosses, frozenset(drop))


def resolve(url: str, location: str) -> str:
    """``location`` as an absolute URL, seen from ``url`` (RFC 9110 section 10.2.2), without any user-info.

    Octets outside ASCII and spaces are percent-encoded. What parsers read differently is refused: backslashes, control
    characters, a scheme without ``//``, an empty authority.
    """
    location = location.strip(" \t")
    if _FORBIDDEN(location):
        raise _malformed(location, "a control character or a backslash")
    scheme = _SCHEME(location)
    if scheme is not None and scheme[1].lower() not in DEFAULT_PORTS:
        raise UnsupportedProtocol(f"a redirect to the scheme {scheme[1][:40]!r}", initiator="remote")
    start = scheme.end() if scheme is not None else 0
    slashes = location.startswith("//", start)
    if (slashes and location[start + 2 : start + 3] in ("", "/", "?", "#")) or (scheme is not None and not slashes):
        raise _malformed(location, "no authority")
    try:
        parts = urlsplit(urljoin(url, location))
        port = parts.port
    except ValueError as error:
        raise _malformed(location, str(error)) from error
    authority = _host(location, parts.netloc.rpartition("@")[2])
    if port is not None and port != DEFAULT_PORTS[parts.scheme]:
        authority += f":{port}"
    fragment = parts.fragment or urlsplit(url).fragment
    return urlunsplit((parts.scheme, authority, _quote(parts.path) or "/", _quote(parts.query), _quote(fragment)))


def _method(method: str, status: int) -> tuple[str, bool]:
    """The next method, and whether the content goes along."""
    if (status in (301, 302) and method == "POST") or (status == 303 and method not in ("GET", "HEAD")):
        return "GET", False
    return method, status != 303


def _host(location: str, authority: str) -> str:
    """The host of ``authority``, lower-case."""
    if authority.startswith("["):
        host, _, rest = authority.partition("]")
        host += "]"
        legal = _ADDRESS(host) is not None and (not rest or rest.startswith(":"))
    else:
        host = authority.partition(":")[0]
        if not host.isascii():
            try:
                host = host.encode("latin-1").decode("utf-8")
            except UnicodeError as error:
                raise _malformed(location, "a host that is not UTF-8") from error
        legal = _NAME(host) is not None
    if not legal:
        raise _malformed(location, "no host, or an illegal one")
    return host.lower()


def _quote(text: str) -> str:
    if _BAD_ESCAPE.search(text):
        text = _BAD_ESCAPE.sub("%25", text)
    return quote(text.encode("latin-1", "replace"), safe=_KEPT)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _malformed(location: str, what: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"malformed Location {location[:200]!r}: {what}")
