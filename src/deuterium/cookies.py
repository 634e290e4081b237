"""Cookies: what servers set and callers give, and which of it goes along with a request (RFC 6265)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar
from threading import Lock
from typing import Any, Final, Union

from publicsuffixlist import PublicSuffixList

from ._http.set_cookie import (
    SetCookie,
    default_path,
    domain_matches,
    has_legal_prefix,
    is_address,
    parse_set_cookie,
    path_matches,
)
from .errors import CookieConflict, LocalProtocolError

# Chromium's numbers: beyond the first of each pair, the least recently used go until the second is left.
PER_DOMAIN: Final = (180, 150)
IN_ALL: Final = (3000, 2700)
# What a server can make its own requests grow by; nginx and Node take no more than 32 and 16 KiB of fields.
MAX_HEADER: Final = 32 * 1024

MAX_READY: Final = 256  # hosts whose field is kept ready

ANYWHERE: Final = ""  # the domain of a cookie that a caller set without one
ANY_HOST: Final = "any host"  # how messages call it

# RFC 6265 section 4.1.1 asks senders for less; this is what cannot be misread.
_ILLEGAL_NAME = re.compile(r"[\x00-\x08\x0a-\x1f\x7f;=]|[^\x00-\xff]").search
_ILLEGAL_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f;]|[^\x00-\xff]").search


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie. ``domain`` is empty for one that goes to every host; ``host_only`` keeps it from subdomains.

    ``expires``: seconds since the epoch; None lasts as long as the client. ``same_site`` is told, not used.
    """

    name: str
    value: str
    domain: str = ANYWHERE
    path: str = "/"
    host_only: bool = False
    secure: bool = False
    http_only: bool = False
    same_site: str = ""
    expires: float | None = None


CookieTypes = Union["Cookies", CookieJar, Mapping[str, str], Iterable[tuple[str, str] | Cookie], None]
_Key = tuple[str, str, bool]


class _Entry:
    """A stored cookie: when it came, in order, and when it was last sent."""

    __slots__ = ("cookie", "order", "used")

    def __init__(self, cookie: Cookie, order: int, used: float) -> None:
        self.cookie = cookie
        self.order = order
        self.used = used


class Cookies(MutableMapping[str, str]):
    """A mapping from names to values, and the store behind a client; safe to use from several threads.

    From a mapping, pairs, other Cookies, ``Cookie`` values or an ``http.cookiejar.CookieJar``. A cookie set without a
    domain goes to every host. Times are seconds since the epoch and always an argument; a cookie that has expired
    stays visible until the next request or ``expire``.

    >>> cookies = Cookies({"theme": "dark"})
    >>> cookies.extract(["id=7; Path=/; HttpOnly"], "example.org", "/", secure=True, now=0.0)
    >>> cookies.header_for("example.org", "/", secure=True, now=1.0)
    'theme=dark; id=7'
    """

    __slots__ = ("_domains", "_edition", "_lock", "_order", "_ready", "count")

    def __init__(self, cookies: CookieTypes = None) -> None:
        self._domains: dict[str, dict[_Key, _Entry]] = {}
        self.count = 0
        self._order = 0
        self._lock = Lock()
        # (host, secure, anywhere) to a field and the time it is good until; emptied by every change.
        self._ready: dict[tuple[str, bool, bool], tuple[str, float]] = {}
        self._edition: list[object] = [object()]
        self.update(cookies)

    def after_fork(self) -> None:
        """In a child process: the lock may have been held by a thread that does not exist here."""
        self._lock = Lock()

    @property
    def store(self) -> object:
        """True as long as there is any cookie: the same object for ever, and quicker to ask than ``count``."""
        return self._domains

    @property
    def edition(self) -> list[object]:
        """One object, another after every change; in the same list for ever, so that it is quick to look at."""
        return self._edition

    def good_until(self, host: str, *, secure: bool, anywhere: bool = True) -> float | None:
        """Until when ``header_for`` says the same for every path, if nothing is changed; None: it does not."""
        ready = self._ready.get((host, secure, anywhere))
        return None if ready is None else ready[1]

    def header_for(self, host: str, path: str, *, secure: bool, now: float, anywhere: bool = True) -> str:
        """The value of the Cookie field of a request; empty if no cookie matches.

        ``host``: lower-case, as in the URL's origin; ``secure``: over TLS; ``anywhere``: with the cookies that have no
        domain, which must stay behind when a redirect led to another origin.
        """
        if not self.count:
            return ""
        ready = self._ready.get((host, secure, anywhere))
        if ready is not None and now < ready[1]:
            return ready[0]
        with self._lock:
            candidates = [
                entry
                for domain in _domains_of(host, anywhere)
                if domain in self._domains
                for entry in self._live(domain, now)
            ]
            found = [entry for entry in candidates if _goes_to(entry.cookie, host, path, secure)]
            # RFC 6265 section 5.4: longer paths first, then older cookies.
            found.sort(key=lambda entry: (-len(entry.cookie.path), entry.order))
            size = 0
            pairs = []
            for entry in found:
                name, value = entry.cookie.name, entry.cookie.value
                pair = f"{name}={value}" if name else value
                size += len(pair) + 2
                if size > MAX_HEADER:
                    break
                entry.used = now
                pairs.append(pair)
            header = "; ".join(pairs)
            # Where no cookie looks at the path, which is nearly everywhere, the next request gets the same field.
            if all(entry.cookie.path == "/" for entry in candidates):
                if len(self._ready) >= MAX_READY:
                    self._ready.clear()
                ends = [entry.cookie.expires for entry in candidates if entry.cookie.expires is not None]
                self._ready[host, secure, anywhere] = (header, min(ends, default=float("inf")))
        return header

    def extract(self, lines: Iterable[str], host: str, path: str, *, secure: bool, now: float) -> None:
        """Store what the Set-Cookie ``lines`` of a response from ``host`` say; what breaks a rule is left out."""
        for line in lines:
            said = parse_set_cookie(line, now)
            cookie = None if said is None else _accepted(said, host, path, secure)
            if cookie is not None:
                with self._lock:
                    if secure or not self._shadows_secure(cookie):
                        self._store(cookie, now)

    def set(
        self,
        name: str,
        value: str,
        domain: str = ANYWHERE,
        path: str = "/",
        *,
        host_only: bool = False,
        secure: bool = False,
        expires: float | None = None,
    ) -> None:
        """Store a cookie of the caller's. Raises LocalProtocolError if its name or value cannot be sent."""
        domain = domain.removeprefix(".").lower()
        cookie = Cookie(name, value, domain, path, host_only=host_only, secure=secure, expires=expires)
        self._add(cookie)

    def get(  # type: ignore[override]
        self, name: str, default: str | None = None, domain: str | None = None, path: str | None = None
    ) -> str | None:
        """The value of the cookie of that name. Raises CookieConflict if several match."""
        found = self._matching(name, domain, path)
        if len(found) > 1:
            where = ", ".join(f"{cookie.domain or ANY_HOST}{cookie.path}" for cookie in found)
            raise CookieConflict(f"several cookies are named {name!r} ({where}): say domain= or path=")
        return found[0].value if found else default

    def delete(self, name: str, domain: str | None = None, path: str | None = None) -> None:
        """Remove the cookies of that name. Raises KeyError if there is none."""
        found = self._matching(name, domain, path)
        if not found:
            raise KeyError(name)
        self._remove(found)

    def clear(self, domain: str | None = None, path: str | None = None) -> None:
        """Remove every cookie, or those of a domain, or of a path on a domain."""
        self._remove(self._matching(None, domain, path))

    def expire(self, now: float) -> None:
        """Remove the cookies whose time is over."""
        with self._lock:
            for domain in list(self._domains):
                self._live(domain, now)

    def update(self, cookies: CookieTypes = None, /) -> None:  # type: ignore[override]
        """Store each of ``cookies``."""
        if cookies is None:
            return
        if isinstance(cookies, Cookies):
            for cookie in cookies.entries():
                self._add(cookie)
        elif isinstance(cookies, CookieJar):
            for one in cookies:
                self._add(_from_jar(one))
        else:
            for item in cookies.items() if isinstance(cookies, Mapping) else cookies:
                if isinstance(item, Cookie):
                    self._add(item)
                else:
                    self.set(*item)

    def entries(self) -> list[Cookie]:
        """Every cookie with all it has, oldest first; ``Cookies(entries)`` makes the store anew."""
        with self._lock:
            entries = [entry for found in self._domains.values() for entry in found.values()]
        return [entry.cookie for entry in sorted(entries, key=lambda entry: entry.order)]

    def copy(self) -> Cookies:
        """Another store with the same cookies."""
        return Cookies(self)

    __copy__ = copy

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        self.delete(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(cookie.name for cookie in self.entries()))

    def __len__(self) -> int:
        return len({cookie.name for cookie in self.entries()})

    def __bool__(self) -> bool:
        return self.count > 0

    def __repr__(self) -> str:
        """Names only: values are secrets."""
        return f"<Cookies {[f'{c.name} for {c.domain or ANY_HOST}{c.path}' for c in self.entries()]}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Cookies, (self.entries(),))

    def _add(self, cookie: Cookie) -> None:
        if not isinstance(cookie.name, str) or not isinstance(cookie.value, str):
            raise TypeError("a cookie's name and value must be str")
        if (not cookie.name and not cookie.value) or _ILLEGAL_NAME(cookie.name) or _ILLEGAL_VALUE(cookie.value):
            raise LocalProtocolError(f"the cookie {cookie.name[:64]!r} has a name or value that cannot be sent")
        with self._lock:
            self._store(cookie, 0.0)

    def _matching(self, name: str | None, domain: str | None, path: str | None) -> list[Cookie]:
        if domain is not None:
            domain = domain.removeprefix(".").lower()
        return [
            cookie
            for cookie in self.entries()
            if (name is None or cookie.name == name)
            and (domain is None or cookie.domain == domain)
            and (path is None or cookie.path == path)
        ]

    def _remove(self, cookies: list[Cookie]) -> None:
        with self._lock:
            for cookie in cookies:
                self._discard(cookie.domain, (cookie.name, cookie.path, cookie.host_only))

    # Below: the lock is held.

    def _store(self, cookie: Cookie, now: float) -> None:
        self._ready.clear()
        self._edition[0] = object()
        key = (cookie.name, cookie.path, cookie.host_only)
        if cookie.expires is not None and cookie.expires <= now:
            self._discard(cookie.domain, key)
            return
        found = self._domains.setdefault(cookie.domain, {})
        before = found.get(key)
        if before is not None:
            before.cookie = cookie
            return
        self._order += 1
        found[key] = _Entry(cookie, self._order, now)
        self.count += 1
        if cookie.domain != ANYWHERE and len(found) > PER_DOMAIN[0]:
            self._evict(self._live(cookie.domain, now), PER_DOMAIN[1])
        if self.count > IN_ALL[0]:
            self._evict([entry for domain in list(self._domains) for entry in self._live(domain, now)], IN_ALL[1])

    def _discard(self, domain: str, key: _Key) -> None:
        self._ready.clear()
        self._edition[0] = object()
        found = self._domains.get(domain)
        if found is not None and found.pop(key, None) is not None:
            self.count -= 1
            if not found:
                del self._domains[domain]

    def _live(self, domain: str, now: float) -> list[_Entry]:
        """The cookies of a domain, without those whose time is over: they are removed."""
        entries = list(self._domains[domain].items())
        live = []
        for key, entry in entries:
            if entry.cookie.expires is not None and entry.cookie.expires <= now:
                self._discard(domain, key)
            else:
                live.append(entry)
        return live

    def _evict(self, entries: list[_Entry], keep: int) -> None:
        """Remove the least recently used, those without Secure first (6265bis section 5.7), until ``keep`` are left.

        What a caller set for every host stays.
        """
        entries.sort(key=lambda entry: (entry.cookie.secure, entry.used, entry.order))
        surplus = len(entries) - keep
        for cookie in [entry.cookie for entry in entries if entry.cookie.domain != ANYWHERE][: max(0, surplus)]:
            self._discard(cookie.domain, (cookie.name, cookie.path, cookie.host_only))

    def _shadows_secure(self, cookie: Cookie) -> bool:
        """A cookie set in the clear would take the place of a Secure one (6265bis section 5.7, step 16)."""
        return any(
            entry.cookie.secure
            and entry.cookie.name == cookie.name
            and (domain_matches(domain, cookie.domain) or domain_matches(cookie.domain, domain))
            and path_matches(cookie.path, entry.cookie.path)
            for domain, found in self._domains.items()
            if domain != ANYWHERE
            for entry in found.values()
        )


def _accepted(said: SetCookie, host: str, path: str, secure: bool) -> Cookie | None:
    """The cookie that ``host`` may set by this line, if any (6265bis section 5.7)."""
    domain = said.domain
    host_only = not domain
    if domain == host:
        # On a public suffix, and on an address, a cookie stays with its host alone.
        host_only = is_address(host) or is_public_suffix(domain)
    elif domain and (not domain_matches(host, domain) or is_public_suffix(domain)):
        return None
    if (said.secure and not secure) or not has_legal_prefix(said, not said.domain):
        return None
    return Cookie(
        said.name,
        said.value,
        domain or host,
        said.path or default_path(path),
        host_only,
        said.secure,
        said.http_only,
        said.same_site,
        said.expires,
    )


def _goes_to(cookie: Cookie, host: str, path: str, secure: bool) -> bool:
    return (
        (secure or not cookie.secure)
        and (not cookie.host_only or cookie.domain in (host, ANYWHERE))
        and path_matches(path, cookie.path)
    )


def _domains_of(host: str, anywhere: bool) -> Iterator[str]:
    """Every domain whose cookies may go to ``host``."""
    if anywhere:
        yield ANYWHERE
    yield host
    if not is_address(host):
        at = host.find(".")
        while at >= 0:
            if at + 1 < len(host):
                yield host[at + 1 :]
            at = host.find(".", at + 1)


def is_public_suffix(domain: str) -> bool:
    """Under ``domain`` anyone can register names (publicsuffix.org), so that no cookie may cover it."""
    if "." not in domain or domain.endswith("."):
        return True
    return bool(_public_suffixes().is_public(domain))


@cache
def _public_suffixes() -> PublicSuffixList:
    # 30 ms, once, when the first server asks for a cookie beyond its own host.
    return PublicSuffixList()


def _from_jar(one: Any) -> Cookie:
    """A cookie of the standard library's."""
    domain = one.domain.removeprefix(".").lower()
    host_only = bool(domain) and not one.domain_specified
    if host_only:
        # That library calls a host without dots "host.local".
        name, dot, rest = domain.partition(".")
        domain = name if dot and rest == "local" else domain
    return Cookie(
        one.name,
        one.value or "",
        domain,
        one.path or "/",
        host_only,
        one.secure,
        one.has_nonstandard_attr("HttpOnly"),
        "",
        None if one.expires is None else float(one.expires),
    )
