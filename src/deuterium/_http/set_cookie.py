"""One Set-Cookie line read, and the matching rules of RFC 6265 (limits and prefixes of its revision, 6265bis)."""

from __future__ import annotations

import re
from calendar import timegm
from dataclasses import dataclass
from datetime import datetime
from typing import Final

MAX_PAIR: Final = 4096  # octets of name and value, 6265bis section 5.6
MAX_ATTRIBUTE: Final = 1024  # octets of an attribute's value, same place
MAX_AGE_S: Final = 400 * 86400  # the longest a cookie is kept, 6265bis section 5.5

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
_DIGITS = re.compile(r"-?[0-9]+").fullmatch
_DATE_TOKEN = re.compile(r"[^\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+").findall
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])").match
_DAY = re.compile(r"([0-9]{1,2})(?![0-9])").match
_YEAR = re.compile(r"([0-9]{2,4})(?![0-9])").match
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class SetCookie:
    """A line as it was said. ``expires``: seconds since the epoch; None lasts as long as the client.

    ``domain`` and ``path`` are the attributes; empty where there is none that counts.
    """

    name: str
    value: str
    domain: str = ""
    path: str = ""
    secure: bool = False
    http_only: bool = False
    same_site: str = ""
    expires: float | None = None


def parse_set_cookie(line: str, now: float) -> SetCookie | None:
    """What a Set-Cookie line says; None if it has to be ignored (6265bis section 5.6).

    >>> parse_set_cookie("id=1; Path=/x; Secure; Max-Age=60", 1000.0).expires
    1060.0
    """
    if _CONTROL(line):
        return None
    pair, *attributes = line.split(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", pair
    name, value = name.strip(" \t"), value.strip(" \t")
    if not (name or value) or len(name) + len(value) > MAX_PAIR:
        return None
    domain = path = same_site = ""
    secure = http_only = False
    expires: float | None = None
    max_age: float | None = None
    for attribute in attributes:
        key, _, text = attribute.partition("=")
        text = text.strip(" \t")
        if len(text) > MAX_ATTRIBUTE:
            continue
        key = key.strip(" \t").lower()
        if key == "domain":
            domain = text.removeprefix(".").lower()
        elif key == "path":
            path = text if text.startswith("/") else ""
        elif key == "secure":
            secure = True
        elif key == "httponly":
            http_only = True
        elif key == "samesite":
            same_site = text.lower() if text.lower() in ("strict", "lax", "none") else ""
        elif key == "max-age":
            if _DIGITS(text):
                # Python refuses to convert thousands of digits; ten are 300 years.
                max_age = float("-inf") if text[0] == "-" else now + min(int(text[:10]), MAX_AGE_S)
                if max_age == now:
                    max_age = float("-inf")
        elif key == "expires":
            date = parse_date(text)
            if date is not None:
                expires = min(date, now + MAX_AGE_S)
    return SetCookie(
        name, value, domain, path, secure, http_only, same_site, max_age if max_age is not None else expires
    )


def parse_date(text: str) -> float | None:
    """A cookie-date, as tolerantly as RFC 6265 section 5.1.1 asks; None if it is none.

    >>> parse_date("Sun, 06 Nov 1994 08:49:37 GMT") == parse_date("Sunday, 6-nov-94 08:49:37") == 784111777.0
    True
    """
    time: tuple[int, int, int] | None = None
    day = month = year = -1
    for token in _DATE_TOKEN(text):
        if time is None and (match := _TIME(token)):
            time = (int(match[1]), int(match[2]), int(match[3]))
        elif day < 0 and (match := _DAY(token)):
            day = int(match[1])
        elif month < 0 and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year < 0 and (match := _YEAR(token)):
            year = int(match[1])
    if 70 <= year <= 99:
        year += 1900
    elif 0 <= year <= 69:
        year += 2000
    if time is None or year < 1601:
        return None
    try:
        return float(timegm(datetime(year, month, day, *time).timetuple()))
    except ValueError:
        return None


def default_path(path: str) -> str:
    """The path of a cookie without one, from that of its request (RFC 6265 section 5.1.4)."""
    end = path.partition("?")[0].rfind("/")
    return path[:end] if end > 0 and path.startswith("/") else "/"


def path_matches(path: str, cookie_path: str) -> bool:
    """A request for ``path`` gets a cookie of ``cookie_path`` (RFC 6265 section 5.1.4)."""
    if cookie_path == "/":
        return True
    path = path.partition("?")[0]
    return path.startswith(cookie_path) and (
        len(path) == len(cookie_path) or cookie_path.endswith("/") or path[len(cookie_path)] == "/"
    )


def domain_matches(host: str, domain: str) -> bool:
    """``host`` is ``domain`` or, unless it is an address, lies below it (RFC 6265 section 5.1.3)."""
    return host == domain or (host.endswith("." + domain) and not is_address(host))


def is_address(host: str) -> bool:
    """``host`` is an IP address: IPv6, or a name whose last label is a number, which can only be IPv4."""
    return ":" in host or host.rpartition(".")[2].isdigit()


def has_legal_prefix(cookie: SetCookie, host_only: bool) -> bool:
    """The promises of ``__Secure-`` and ``__Host-`` are kept (6265bis section 4.1.3)."""
    # A cookie without a name would be sent as its value alone, which may look like a cookie with a prefix.
    shown = (cookie.name or cookie.value).lower()
    if shown.startswith("__secure-"):
        return bool(cookie.name) and cookie.secure
    if shown.startswith("__host-"):
        return bool(cookie.name) and cookie.secure and host_only and cookie.path == "/"
    return True
