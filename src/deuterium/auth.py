"""Authentication as a conversation: a generator yields requests and is sent their responses.

One flow serves both clients. An ``Auth`` belongs to the origin it is used for: the clients stop asking it when a
redirect leads elsewhere.
"""

from __future__ import annotations

import base64
import netrc
import os
import re
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import replace
from threading import Lock
from typing import Any, Final, Protocol, TypeVar, Union
from urllib.parse import urlsplit

from ._http.challenge import DigestChallenge, answer, choose_digest, parse_challenges, parse_parameters
from ._pool import forks
from .headers import Headers

MAX_REMEMBERED: Final = 64  # origins whose last nonce a DigestAuth keeps

_CONTROL = re.compile(r"[\x00-\x1f\x7f]").search
_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*").fullmatch


class AuthRequest(Protocol):
    """What a flow may look at and change of a request. It is the client's own copy, never the caller's."""

    @property
    def method(self) -> str: ...
    @property
    def url(self) -> object: ...
    @property
    def headers(self) -> Headers: ...


class AuthResponse(Protocol):
    """What a flow may look at of a response."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Headers: ...


RequestT = TypeVar("RequestT", bound=AuthRequest)
AuthTypes = Union["Auth", tuple[str | bytes, str | bytes], Callable[[Any], Any]]


def build_auth(auth: AuthTypes | None) -> Auth | None:
    """What a caller gave as ``auth``: an Auth, (user name, password) for Basic, or a function of the request."""
    if auth is None or isinstance(auth, Auth):
        return auth
    if isinstance(auth, tuple):
        return BasicAuth(*auth)
    if callable(auth):
        return FunctionAuth(auth)
    raise TypeError(f"auth must be an Auth, (user name, password) or a function, not {type(auth).__name__}")


class Auth:
    """Base of every scheme. Override ``auth_flow``; set the flags if it looks at content.

    >>> class ApiKey(Auth):
    ...     def auth_flow(self, request):
    ...         request.headers["x-api-key"] = "secret"
    ...         response = yield request
    """

    requires_request_body = False
    requires_response_body = False

    def auth_flow(self, request: RequestT) -> Generator[RequestT, AuthResponse, None]:
        """Yield each request to send; the response to the last one yielded goes to the caller."""
        yield request

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """``auth_flow`` as the threads' client runs it; override it to do I/O of your own."""
        if self.requires_request_body:
            request.read()
        flow = self.auth_flow(request)
        try:
            request = next(flow)
            while True:
                response = yield request
                if self.requires_response_body:
                    response.read()
                request = flow.send(response)
        except StopIteration:
            return
        finally:
            flow.close()

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """``auth_flow`` as the asyncio client runs it; override it to do I/O of your own."""
        if self.requires_request_body:
            await request.aread()
        flow = self.auth_flow(request)
        try:
            request = next(flow)
            while True:
                response = yield request
                if self.requires_response_body:
                    await response.aread()
                request = flow.send(response)
        except StopIteration:
            return
        finally:
            flow.close()


def has_own_flow(auth: Auth, asynchronous: bool) -> bool:
    """Whether the scheme overrides the flow of this client's kind, to do I/O of its own."""
    kind = type(auth)
    if asynchronous:
        return kind.async_auth_flow is not Auth.async_auth_flow
    return kind.sync_auth_flow is not Auth.sync_auth_flow


class OwnSteps:
    """Runs ``sync_auth_flow`` or ``async_auth_flow``; under asyncio both verbs return what must be awaited."""

    def __init__(self, auth: Auth, request: Any, asynchronous: bool) -> None:
        self._asynchronous = asynchronous
        self._steps: Any = auth.async_auth_flow(request) if asynchronous else auth.sync_auth_flow(request)

    def advance(self, response: Any) -> Any:
        """The next request after ``response``, None when the scheme is satisfied."""
        if self._asynchronous:
            return self._aadvance(response)
        try:
            return self._steps.send(response)
        except StopIteration:
            return None

    async def _aadvance(self, response: Any) -> Any:
        try:
            return await self._steps.asend(response)
        except StopAsyncIteration:
            return None

    def close(self, _: Any) -> Any:
        """Let the scheme clean up."""
        return self._steps.aclose() if self._asynchronous else self._steps.close()


class FunctionAuth(Auth):
    """Lets a function change the request, and sends what it returns."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def auth_flow(self, request: RequestT) -> Generator[RequestT, AuthResponse, None]:
        yield self._function(request)


class BasicAuth(Auth):
    """User name and password in every request (RFC 7617), as UTF-8.

    Raises ValueError for a colon in the user name or a control character, which the scheme cannot carry.
    """

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        self._field = basic_field(username, password)

    def auth_flow(self, request: RequestT) -> Generator[RequestT, AuthResponse, None]:
        request.headers["Authorization"] = self._field
        yield request

    def __repr__(self) -> str:
        return "BasicAuth([secure])"


class BearerAuth(Auth):
    """A bearer token in every request (RFC 6750 section 2.1).

    ``token``: the token, or a function that gives the current one. Raises ValueError when it is not one.
    """

    def __init__(self, token: str | Callable[[], str]) -> None:
        if isinstance(token, str):
            _checked_token(token)
        self._token = token

    def auth_flow(self, request: RequestT) -> Generator[RequestT, AuthResponse, None]:
        token = self._token if isinstance(self._token, str) else _checked_token(self._token())
        request.headers["Authorization"] = f"Bearer {token}"
        yield request

    def __repr__(self) -> str:
        return "BearerAuth([secure])"


class NetRCAuth(Auth):
    """Credentials out of a netrc file, for hosts it names; its ``default`` entry is not used.

    ``file``: its path; None looks where the standard library does. Read once, here.
    """

    def __init__(self, file: str | os.PathLike[str] | None = None) -> None:
        found = netrc.netrc(None if file is None else os.fspath(file))
        self._fields = {
            host.lower(): basic_field(login or account or "", password or "")
            for host, (login, account, password) in found.hosts.items()
            if host != "default"
        }

    def auth_flow(self, request: RequestT) -> Generator[RequestT, AuthResponse, None]:
        host = urlsplit(str(request.url)).hostname
        field = None if host is None else self._fields.get(host)
        if field is not None and "authorization" not in request.headers:
            request.headers["Authorization"] = field
        yield request

    def __repr__(self) -> str:
        return f"NetRCAuth({sorted(self._fields)})"


class DigestAuth(Auth):
    """Digest access authentication (RFC 7616): SHA-512-256, SHA-256, MD5, each also ``-sess``; qop=auth.

    The first request to an origin is sent without credentials; later ones answer its last nonce at once, counted.
    Safe to use from several threads.
    """

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        self._username = username.decode() if isinstance(username, bytes) else username
        self._password = password.decode() if isinstance(password, bytes) else password
        if _CONTROL(self._username):
            raise ValueError("a user name holds no control characters")
        self._nonces: OrderedDict[str, _Nonce] = OrderedDict()
        self._lock = Lock()
        forks.watch(self)

    def after_fork(self) -> None:
        """In a child process: the lock may have been held by a thread that does not exist here."""
        self._lock = Lock()

    def auth_flow(self, request: RequestT) -> Generator[RequestT, AuthResponse, None]:
        origin, target = _split(str(request.url))
        with self._lock:
            nonce = self._nonces.get(origin)
        if nonce is not None:
            request.headers["Authorization"] = self._answer(nonce, request.method, target)
        response = yield request
        refused = nonce.challenge.nonce if nonce is not None else None
        fresh = False  # the nonce answered last came with a response to this very request
        while response.status_code == 401:
            challenge = choose_digest(parse_challenges(response.headers.get_list("www-authenticate")))
            # After an answer to a new nonce, only "stale" says that the credentials were right; after that,
            # a nonce that is refused again would go on for ever.
            if challenge is None or challenge.nonce == refused or (fresh and not challenge.stale):
                return
            nonce = self._remember(origin, challenge)
            request.headers["Authorization"] = self._answer(nonce, request.method, target)
            response = yield request
            if fresh:
                break
            fresh, refused = True, challenge.nonce
        if nonce is not None and response.status_code != 401:
            self._take_next(origin, nonce, response.headers.get_list("authentication-info"))

    def _take_next(self, origin: str, nonce: _Nonce, lines: list[str]) -> None:
        """Use the nonce the server asks for from now on (RFC 7616 section 3.5)."""
        for line in lines:
            following = parse_parameters(line).get("nextnonce")
            # The key of a session is made of its first nonce.
            if following and following != nonce.challenge.nonce and not nonce.challenge.session:
                self._remember(origin, replace(nonce.challenge, nonce=following))

    def _remember(self, origin: str, challenge: DigestChallenge) -> _Nonce:
        nonce = _Nonce(challenge)
        with self._lock:
            self._nonces[origin] = nonce
            self._nonces.move_to_end(origin)
            if len(self._nonces) > MAX_REMEMBERED:
                self._nonces.popitem(last=False)
        return nonce

    def _answer(self, nonce: _Nonce, method: str, target: str) -> str:
        with self._lock:
            nonce.count += 1
            count = nonce.count
        return answer(nonce.challenge, self._username, self._password, method, target, count, nonce.cnonce)

    def __repr__(self) -> str:
        return "DigestAuth([secure])"


class _Nonce:
    """A server's nonce in use. Its client nonce stays, because ``-sess`` keys are made of both."""

    __slots__ = ("challenge", "cnonce", "count")

    def __init__(self, challenge: DigestChallenge) -> None:
        self.challenge = challenge
        self.cnonce = os.urandom(16).hex()
        self.count = 0


def basic_field(username: str | bytes, password: str | bytes) -> str:
    """The value of Authorization for ``username`` and ``password`` (RFC 7617 section 2)."""
    user = username.encode() if isinstance(username, str) else username
    secret = password.encode() if isinstance(password, str) else password
    if b":" in user:
        raise ValueError("a user name with a colon cannot be sent by Basic authentication")
    if _CONTROL((user + secret).decode("latin-1")):
        raise ValueError("a control character cannot be sent by Basic authentication")
    return "Basic " + base64.b64encode(user + b":" + secret).decode("ascii")


def _checked_token(token: str) -> str:
    if not _TOKEN68(token):
        raise ValueError("a bearer token is letters, digits, -._~+/ and = at its end (RFC 6750 section 2.1)")
    return token


def _split(url: str) -> tuple[str, str]:
    """The origin of ``url``, and the target as it is sent."""
    url = url.partition("#")[0]
    start = url.find("://") + 3
    end = min((at for mark in "/?" if (at := url.find(mark, start)) >= 0), default=len(url))
    target = url[end:]
    return url[:end], target if target.startswith("/") else "/" + target
