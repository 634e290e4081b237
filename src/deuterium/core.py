"""What both clients are made of: options, defaults, and the request they build from arguments. No I/O."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from time import monotonic, time
from typing import Any, cast

from yarl import URL

from ._http.charset import parameter
from ._http.coding import accept_encoding
from ._http.compression import WORTH_OCTETS, checked_coding
from ._http.exchange import Exchange
from ._http.field import check_name
from ._http.forms import encode_form
from ._http.json_codec import build_codec
from ._http.multipart import MultipartForm
from ._http.phases import NEVER
from ._pool.breaker import Breaker, Permit, StateChange
from ._pool.breaker_store import BreakerStore, SharedBreaker, StoreQuestion
from ._pool.mounts import Mount, Mounts, MountTypes
from ._pool.proxies import ProxyTypes
from ._pool.retry import HTTP_1_1_REQUIRED, MISDIRECTED
from ._pool.retry_budget import RetryBudget
from ._pool.workshop import Workshop
from .auth import Auth, build_auth
from .config import (
    USE_CLIENT_DEFAULT,
    BreakerPolicy,
    DecodingLimits,
    Http2Options,
    Limits,
    PoolOptions,
    RetryPolicy,
    Timeout,
    TransportOptions,
)
from .cookies import Cookies
from .errors import (
    InvalidURL,
    LocalProtocolError,
    ReadTimeout,
    RemoteProtocolError,
    RequestError,
    UnsupportedProtocol,
)
from .headers import Headers
from .request import ContentTypes, HeaderTypes, Request, checked_fields, merged, tunnel_error
from .url import UrlCache, checked_authority, checked_host

VERSION = "0.1.0"

QueryTypes = Mapping[str, Any] | Iterable[tuple[str, Any]] | str | None
TimeoutTypes = Timeout | float | None

MODES = ("obey", "force", "off")
BREAKER_STATUSES = frozenset((500, 502, 503, 504))


class ClientCore:
    """Options of one client and the decisions that need no I/O. ``AsyncClient`` and ``Client`` add the carrying out."""

    asynchronous = False  # whether what the user gives may be awaited
    request: Any
    send: Any
    own_verbs: Any  # the two as ``AsyncClient`` and ``Client`` have them

    def __init__(
        self,
        *,
        auth: Any = None,
        params: QueryTypes = None,
        headers: HeaderTypes | None = None,
        cookies: Any = None,
        timeout: TimeoutTypes | Any = USE_CLIENT_DEFAULT,
        follow_redirects: bool = False,
        max_redirects: int = 20,
        limits: Limits | None = None,
        base_url: str | URL = "",
        verify: ssl.SSLContext | str | bool = True,
        cert: Any = None,
        pins: Mapping[str, Iterable[str]] | None = None,
        proxy: ProxyTypes = None,
        mounts: MountTypes = None,
        trust_env: bool = True,
        uds: str | None = None,
        local_address: str | None = None,
        socket_options: Iterable[tuple[int, int, int | bytes]] = (),
        resolver: Any = None,
        transport: Any = None,
        http1: bool = True,
        http2: bool = True,
        http2_options: Http2Options | None = None,
        retry: RetryPolicy | None = None,
        breaker: BreakerPolicy | None = None,
        breaker_store: BreakerStore | None = None,
        event_hooks: Mapping[str, list[Callable[..., Any]]] | None = None,
        middleware: Iterable[Callable[..., Any]] = (),
        decoding: DecodingLimits | None = None,
        default_encoding: str = "utf-8",
        compress: str | bool | None = None,
        json_codec: Any = None,
        json_dumps: Callable[[Any], bytes | str] | None = None,
        json_loads: Callable[..., Any] | None = None,
        pools: PoolOptions | None = None,
        trace: Any = None,
    ) -> None:
        # An in-process transport (deuterium.testing) takes the place of all sockets.
        in_process: Any = None if isinstance(transport, TransportOptions) else transport
        if in_process is not None and not hasattr(in_process, "async_dialer"):
            raise TypeError("transport takes TransportOptions or a transport of deuterium.testing")
        if not isinstance(transport, TransportOptions):
            transport = TransportOptions(
                uds=uds, local_address=local_address, socket_options=tuple(socket_options), resolver=resolver
            )
        if not (http1 or http2):
            raise ValueError("http1 and http2 cannot both be off")
        self.auth: Auth | None = build_auth(auth)
        self.params = params
        self.timeout: Timeout = as_timeout(timeout)
        self.follow_redirects = follow_redirects
        self.max_redirects = max_redirects
        self.limits: Limits = limits or Limits()
        self.base_url: str = str(base_url).rstrip("/")
        self.retry: RetryPolicy = retry or RetryPolicy()
        self.breaker = BreakerPolicy() if breaker is None and breaker_store is not None else breaker
        self.breaker_store = breaker_store
        self.decoding: DecodingLimits = decoding or DecodingLimits()
        self.default_encoding = default_encoding
        self.compress: str = checked_coding(compress)
        self.cookies: Cookies = cookies if isinstance(cookies, Cookies) else Cookies(cookies)
        self.event_hooks: dict[str, list[Callable[..., Any]]] = {
            name: [] for name in ("request", "response", "informational", "breaker")
        }
        for name, hooks in (event_hooks or {}).items():
            if name not in self.event_hooks:
                raise ValueError(f"event_hooks has {', '.join(map(repr, self.event_hooks))}, not {name!r}")
            self.event_hooks[name] = list(hooks)
        # A tuple, which cannot grow: whether there are any is looked at when options change, not at each request.
        self.event_hooks["informational"] = cast(Any, tuple(self.event_hooks["informational"]))
        self.middleware = tuple(middleware)
        self.budget = RetryBudget(self.retry.budget_share, self.retry.budget_minimum_per_s, self.retry.budget_window_s)
        self.breakers: dict[str, Breaker] = {}
        self.shared_breakers: dict[str, SharedBreaker] = {}
        self.json_codec = build_codec(json_codec, json_dumps, json_loads)
        self._headers = Headers(
            {"accept": "*/*", "accept-encoding": accept_encoding(), "user-agent": f"deuterium/{VERSION}"}
        )
        if headers is not None:
            for name, value in checked_fields(headers):
                self._headers[name] = value
        self._host = ""  # a default Host field, which is no field but the authority
        self._common = self._defaults()
        self._headers_shown = False
        self.urls: UrlCache = UrlCache()
        self.workshop: Workshop = Workshop(
            limits=self.limits,
            budget=self.budget,
            http2_options=http2_options or Http2Options(),
            pools=pools or PoolOptions(),
            verify=verify,
            cert=cert,
            pins=pins,
            proxy=proxy,
            trust_env=trust_env,
            mounts=Mounts(mounts, Mount(options=transport, in_process=in_process)),
            transport=transport,
            http1=http1,
            http2=http2,
            tap=trace,
            shared=not self.asynchronous,
        )

    # -- defaults ----------------------------------------------------------------------------------------------------

    @property
    def headers(self) -> Headers:
        """The fields every request carries; may be changed."""
        self._headers_shown = True
        return self._headers

    @headers.setter
    def headers(self, headers: HeaderTypes) -> None:
        self._headers = Headers(headers)
        self._common = self._defaults()

    def common_fields(self) -> tuple[tuple[str, str], ...]:
        """The default fields as one tuple, the same object as long as nothing changed."""
        if self._headers_shown:
            now = self._defaults()
            if now != self._common:
                self._common = now
        return self._common

    def _defaults(self) -> tuple[tuple[str, str], ...]:
        """The default fields, checked. Host stands apart."""
        section = checked_fields(self._headers)
        host = [value for name, value in section if name == "host"]
        if len(host) > 1 or any(name in ("content-length", "expect") for name, _ in section):
            raise LocalProtocolError("RFC 9110 8.6: content-length, expect and a second host are no defaults")
        host_now = checked_authority(host[0]) if host else ""
        if host_now != self._host:
            self._host = host_now
        return tuple(pair for pair in section if pair[0] != "host") if host else section

    def is_simple(self) -> bool:
        """No option of the client adds to a request or decides about it, but for cookies and hooks around it."""
        if self._headers_shown or self._host or self.middleware or self.event_hooks.get("informational"):
            return False
        if (type(self).request, type(self).send) != self.own_verbs:
            return False  # a subclass wants to see every request
        return self.auth is None and not self.params and self.breaker is None and not self.retry.hedges

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        self.options_changed()

    def options_changed(self) -> None:
        """An attribute was set; whoever keeps a copy of options looks again."""

    # -- requests ----------------------------------------------------------------------------------------------------

    def build_request(
        self,
        method: str,
        url: str | URL,
        *,
        params: QueryTypes = None,
        headers: HeaderTypes | None = None,
        cookies: Any = None,
        content: ContentTypes | None = None,
        data: Any = None,
        files: Any = None,
        json: Any = None,
        compress: str | bool | None | Any = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | Any = USE_CLIENT_DEFAULT,
        extensions: dict[str, Any] | None = None,
    ) -> Request:
        """A request with the client's defaults in it, checked, to be sent by ``send``.

        ``compress``: ``"gzip"`` (or True) or ``"zstd"`` sends the content compressed, whole or piece by piece. The
        client's own ``compress`` leaves content alone that is shorter than 1 KiB or does not shrink. Nobody asks the
        server first: it must be known to take it. A content-encoding among the fields means it is done already.

        Raises InvalidURL, UnsupportedProtocol or LocalProtocolError for what cannot be sent.
        """
        absolute = self.absolute(str(url))
        for given in (self.params, params):
            if given:
                absolute = str(URL(absolute, encoded=True).extend_query(cast(Any, given)))
        origin, target = self.urls.split(absolute)
        request = Request(method, origin, target, self.common_fields())
        if headers is not None:
            request.common, request.extra = merged(request.common, checked_fields(headers))
        if self._host and not request.field("host"):
            request.add_field("host", self._host)
        if cookies:
            request.add_field("cookie", Cookies(cookies).header_for(origin.host, "/", secure=True, now=time()))
        self._set_content(request, content, data, files, json)
        if compress is not USE_CLIENT_DEFAULT:
            request.compress(checked_coding(compress), 0)
        elif self.compress:
            request.compress(self.compress, WORTH_OCTETS)
        if timeout is not USE_CLIENT_DEFAULT:
            request.timeout = as_timeout(timeout)
        request.extensions = extensions
        return request

    # -- WebSocket ---------------------------------------------------------------------------------------------------

    def upgrades(self, address: str) -> bool:
        """A WebSocket to this URL is opened over HTTP/1.1 without asking."""
        origin, _ = self.urls.split(address)
        if self.workshop.mounts.in_process(origin):
            raise LocalProtocolError("a WebSocket needs a connection to a server", request_processed=False)
        return not self.workshop.http2 or (origin.scheme == "http" and self.workshop.http1)

    def websocket_request(self, handshake: Any, address: str, headers: Any, options: dict[str, Any]) -> Request:
        """The request of an opening handshake."""
        if handshake.upgrade and not self.workshop.http1:
            raise UnsupportedProtocol(
                "the server takes no WebSocket over HTTP/2, and http1 is off", request_processed=False
            )
        extensions = {**(options.get("extensions") or {}), "protocol": "websocket"}
        fields = [*(checked_fields(headers) if headers is not None else ()), *handshake.fields]
        request = self.build_request(
            handshake.method, address, **{**options, "headers": fields, "extensions": extensions}
        )
        timeout = request.timeout or self.timeout
        limits = [timeout.total]
        if timeout.connect is not None and timeout.read is not None:
            limits.append(timeout.connect + timeout.read)
        request.deadline = monotonic() + min((limit for limit in limits if limit is not None), default=NEVER)
        return request

    def websocket_timeout(self, request: Request, error: RequestError) -> RequestError:
        """The error for a handshake that took too long."""
        if (request.timeout or self.timeout).total is not None:
            return error
        return ReadTimeout("the WebSocket was not opened in time", request_processed=error.request_processed)

    def absolute(self, url: str) -> str:
        """The URL, joined to ``base_url`` when it is relative."""
        if self.base_url and "://" not in url:
            return self.base_url + (url if url.startswith(("/", "?")) or not url else "/" + url)
        return url

    def _set_content(self, request: Request, content: Any, data: Any, files: Any, json: Any) -> None:
        if json is not None:
            body = self.json_codec.dumps(json)
            request.default_field("content-type", "application/json")
            request.set_content(body)
        elif files:
            boundary = request.field("content-type")
            form = MultipartForm(data, files, parameter(boundary, "boundary") if boundary else None)
            request.default_field("content-type", form.content_type)
            if form.content_length is not None:
                request.default_field("content-length", str(form.content_length))
            request.set_content(form)
        elif data is not None and not isinstance(data, str | bytes | bytearray | memoryview) and hasattr(data, "items"):
            request.default_field("content-type", "application/x-www-form-urlencoded")
            request.set_content(encode_form(data))
        else:
            request.set_content(content if data is None else data)

    def exchange(self, request: Request, delivery: int) -> Exchange:
        """The request as an engine takes it, with its deadlines."""
        common, extra, authority = request.wire_fields()
        origin = request.origin
        exchange = Exchange(request.method, origin.scheme, authority, request.target, common, extra)
        if request.stream is not None:
            exchange.has_content = True
        elif request.content:
            exchange.body = request.content
            exchange.has_content = True
        extensions = request.extensions
        if extensions:
            exchange.urgency = int(extensions.get("urgency", 3)) & 7
            exchange.protocol = extensions.get("protocol", "")
            if exchange.protocol:
                check_name(exchange.protocol)
                exchange.has_content = True  # what is sent once the peer has agreed
            if extensions.get("sni_hostname"):
                origin = origin.named(checked_host(extensions["sni_hostname"]))
            if exchange.protocol and exchange.method != "CONNECT":
                origin = self.workshop.apart(origin)
            if extensions.get("trailers"):
                self._announce_trailers(request, exchange)
        if request.method == "CONNECT" and not exchange.protocol:
            raise tunnel_error()
        exchange.request = request
        exchange.origin = origin
        exchange.delivery = delivery
        timeout = request.timeout or self.timeout
        if request.deadline != NEVER:
            exchange.deadline = request.deadline
        elif timeout.total is not None:
            exchange.deadline = monotonic() + timeout.total
        exchange.pool_timeout = NEVER if timeout.pool is None else timeout.pool
        exchange.read_timeout = NEVER if timeout.read is None else timeout.read
        exchange.write_timeout = NEVER if timeout.write is None else timeout.write
        return exchange

    def _announce_trailers(self, request: Request, exchange: Exchange) -> None:
        """What follows the content leaves after it, so the content goes piece by piece; HTTP/1.1 needs chunks."""
        if not callable((request.extensions or {})["trailers"]):
            _ = request.trailers  # raises before anything is sent
        exchange.body = None
        exchange.has_content = True
        exchange.extra = tuple(pair for pair in exchange.extra if pair[0] != "content-length")

    def redirected(self, request: Request, decision: Any) -> Request:
        """The request that a redirect asks for."""
        try:
            origin, target = self.urls.split(decision.url)
        except InvalidURL as error:
            raise RemoteProtocolError(f"a redirect to {decision.url[:200]!r}: {error}") from error
        common, extra, authority = request.wire_fields()
        if not decision.crosses_origin and authority != origin.authority:
            extra = (*extra, ("host", authority))
        drop = decision.drop | {"cookie"}
        following = Request(
            decision.method,
            origin,
            target,
            tuple(pair for pair in common if pair[0] not in drop),
            tuple(pair for pair in extra if pair[0] not in drop),
        )
        following.timeout = request.timeout
        following.deadline = request.deadline
        following.extensions = request.extensions
        if decision.keeps_content:
            following.take_content_of(request)
        return following

    # -- cookies -----------------------------------------------------------------------------------------------------

    def add_cookies(self, request: Request, anywhere: bool) -> None:
        """Put the matching cookies of the jar into the request, unless it brings its own."""
        if self.cookies and not request.field("cookie"):
            origin = request.origin
            path = request.target.partition("?")[0]
            value = self.cookies.header_for(
                origin.host, path, secure=origin.scheme == "https", now=time(), anywhere=anywhere
            )
            if value:
                request.add_field("cookie", value)

    def take_cookies(self, exchange: Exchange) -> None:
        """Store what the response set."""
        origin = exchange.origin
        lines = [value for name, value in exchange.fields or () if name == "set-cookie"]
        path = exchange.path.partition("?")[0]
        self.cookies.extract(lines, origin.host, path, secure=origin.scheme == "https", now=time())

    # -- breaker and retries -----------------------------------------------------------------------------------------

    def permit(self, request: Request) -> Permit | None:
        """Leave to send, from the origin's breaker; raises CircuitOpen."""
        if self.breaker is None:
            return None
        extensions = request.extensions or {}
        mode = extensions.get("breaker", "obey")
        if mode not in MODES:
            raise ValueError(f"the extension 'breaker' is one of {', '.join(MODES)}, not {mode!r}")
        breaker = self._breaker_of(request, self.breaker)
        return breaker.allow(monotonic(), mode, extensions.get("slow_call_s"))

    def _breaker_of(self, request: Request, policy: BreakerPolicy) -> Breaker:
        key = request.origin.key
        breaker = self.breakers.get(key)
        if breaker is None:
            breaker = self.breakers[key] = Breaker(key, policy)
            breaker.on_change(self._breaker_changed)
        return breaker

    def _breaker_changed(self, change: StateChange) -> None:
        for hook in self.event_hooks["breaker"]:
            hook(change)

    def store_question(self, request: Request) -> StoreQuestion | None:
        """What to ask the breakers' store about the request's origin now, if anything."""
        if self.breaker_store is None or self.breaker is None:
            return None
        key = request.origin.key
        shared = self.shared_breakers.get(key)
        if shared is None:
            shared = SharedBreaker(self._breaker_of(request, self.breaker), self.breaker_store)
            self.shared_breakers[key] = shared
        return shared.question(monotonic())

    def report(self, permit: Permit, exchange: Exchange, now: float) -> None:
        """Tell the breaker how it went."""
        if exchange.error is not None:
            if getattr(exchange.error, "initiator", "") == "user":
                permit.ignored(now)
            else:
                permit.failure(now)
        elif exchange.status in BREAKER_STATUSES:
            permit.failure(now)
        else:
            permit.success(now)

    def learn(self, exchange: Exchange, error: Exception | None, now: float) -> bool:
        """Remember what a refusal says about the origin's protocols; True: it asks for this request over HTTP/1.1."""
        key = exchange.origin.key
        if isinstance(error, RequestError) and error.code == HTTP_1_1_REQUIRED:
            with self.pool_lock():
                if self.workshop.protocols.http1_required(key, now):
                    if exchange.route is not None:
                        exchange.route.leave()
                    unanswered = not exchange.headers_received and not exchange.informational
                    return unanswered and error.scope == "stream" and self.workshop.http1
        elif error is None and exchange.status == MISDIRECTED:
            with self.pool_lock():
                self.workshop.protocols.misdirected(key, now)
                if exchange.route is not None:
                    exchange.route.leave()
        return False

    def pool_lock(self) -> AbstractContextManager[Any]:
        """What guards routes, connections and what is known of protocols, where several threads use them."""
        return nullcontext()

    def retry_after(self, exchange: Exchange) -> str | None:
        """The response's Retry-After field value."""
        return next((value for name, value in exchange.fields or () if name == "retry-after"), None)


def as_timeout(given: Any) -> Timeout:
    """A Timeout from what an argument may be."""
    if given is USE_CLIENT_DEFAULT:
        return Timeout()
    return given if isinstance(given, Timeout) else Timeout(given)
