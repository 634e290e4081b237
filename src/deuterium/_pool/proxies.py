"""Which proxy an origin is reached through: from arguments, or from the environment. Decisions, without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from .._net.proxy import Proxy
from .patterns import Patterns, host_and_port

ProxyTypes = str | Proxy | Mapping[str, Any] | None


class NoProxy:
    """The origins NO_PROXY excepts: names separated by commas or spaces.

    ``*`` excepts everything; ``example.org`` and ``.example.org`` that name and all below it, by whole labels; an
    address or a network in CIDR form the hosts given as addresses in it; ``:port`` behind any of them that port alone.
    Names are not resolved. So curl reads it; Go agrees but for the leading dot.

    >>> NoProxy("example.org, 10.0.0.0/8").matches("www.example.org", 443)
    True
    """

    __slots__ = ("_everything", "_names", "_networks")

    def __init__(self, text: str) -> None:
        self._everything = False
        self._names: list[tuple[str, int | None]] = []
        self._networks: list[tuple[Any, int | None]] = []
        for entry in text.replace(",", " ").lower().split():
            if entry == "*":
                self._everything = True
                continue
            host, port = host_and_port(entry)
            try:
                self._networks.append((ip_network(host, strict=False), port))
            except ValueError:
                name = host.removeprefix("*").strip(".")
                if name:
                    self._names.append((name, port))

    def matches(self, host: str, port: int) -> bool:
        """Whether the origin is reached without a proxy."""
        if self._everything:
            return True
        try:
            address = ip_address(host)
        except ValueError:
            name = host.rstrip(".")
            return any(
                (name == excepted or name.endswith("." + excepted)) and only in (None, port)
                for excepted, only in self._names
            )
        return any(address in network and only in (None, port) for network, only in self._networks)


class Proxies:
    """The proxies of one client.

    ``proxy``: one for everything, or a mapping of patterns as httpx has them: ``all://``, ``http://``,
    ``https://host``, ``all://*.example.org:8443``; the most specific one that matches counts, and None stands for no
    proxy. Without it, ``environ`` is asked: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in lower case first.

    >>> Proxies({"all://": "http://proxy.example", "all://localhost": None}).choose("https", "example.org", 443)
    <Proxy('http://proxy.example:80')>

    Raises ValueError for a proxy or a pattern that is none.
    """

    __slots__ = ("_excepted", "_patterns")

    def __init__(self, proxy: ProxyTypes = None, environ: Mapping[str, str] | None = None) -> None:
        self._excepted = NoProxy("")
        given: Mapping[str, Any]
        if proxy is None:
            given = _from_environment(environ or {})
            self._excepted = NoProxy(_variable(environ or {}, "no_proxy"))
        elif isinstance(proxy, Mapping):
            given = proxy
        else:
            given = {"all://": proxy}
        self._patterns = Patterns({text: _proxy(value) for text, value in given.items()})

    def choose(self, scheme: str, host: str, port: int) -> Proxy | None:
        """The proxy for an origin; None: straight to it."""
        if not self._patterns or self._excepted.matches(host, port):
            return None
        pattern = self._patterns.find(scheme, host, port)
        return None if pattern is None else pattern.value

    def __bool__(self) -> bool:
        return bool(self._patterns)


def _proxy(value: Any) -> Proxy | None:
    return value if value is None or isinstance(value, Proxy) else Proxy(value)


def _variable(environ: Mapping[str, str], name: str) -> str:
    """In lower case first, as curl does. A CGI program finds a request's Proxy field in HTTP_PROXY: it is not used."""
    if name in environ:
        return environ[name]
    if name == "http_proxy" and "REQUEST_METHOD" in environ:
        return ""
    return environ.get(name.upper(), "")


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    patterns = {"all://": "all_proxy", "http://": "http_proxy", "https://": "https_proxy"}
    found = {pattern: _variable(environ, name).strip() for pattern, name in patterns.items()}
    return {pattern: url for pattern, url in found.items() if url}
