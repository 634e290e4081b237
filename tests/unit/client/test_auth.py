"""Authentication flows, driven by scripted servers, through the sync and the async face."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deuterium._http.challenge import answer as digest_answer
from deuterium._http.challenge import choose_digest, parse_challenges, parse_parameters
from deuterium.auth import (
    Auth,
    BasicAuth,
    BearerAuth,
    DigestAuth,
    FunctionAuth,
    NetRCAuth,
    build_auth,
)
from deuterium.headers import Headers


@dataclass
class Request:
    method: str = "GET"
    url: str = "https://a.example/x?q=1#f"
    headers: Headers = field(default_factory=Headers)
    content: bytes = b""

    def read(self) -> bytes:
        self.content = b"read"
        return self.content

    async def aread(self) -> bytes:
        return self.read()


@dataclass
class Response:
    status_code: int = 200
    headers: Headers = field(default_factory=Headers)
    content: bytes = b""

    def read(self) -> bytes:
        self.content = b"read"
        return self.content

    async def aread(self) -> bytes:
        return self.read()


Server = Callable[[Request], Response]


def run_sync(auth: Auth, request: Request, server: Server) -> list[tuple[str | None, Response]]:
    """Every exchange of the flow: the Authorization sent, and the response."""
    flow: Generator[Any, Any, None] = auth.sync_auth_flow(request)
    exchanges: list[tuple[str | None, Response]] = []
    try:
        request = next(flow)
        while True:
            response = server(request)
            exchanges.append((request.headers.get("authorization"), response))
            request = flow.send(response)
    except StopIteration:
        return exchanges


def run_async(auth: Auth, request: Request, server: Server) -> list[tuple[str | None, Response]]:
    async def run() -> list[tuple[str | None, Response]]:
        flow: AsyncGenerator[Any, Any] = auth.async_auth_flow(request)
        exchanges: list[tuple[str | None, Response]] = []
        try:
            sent = await anext(flow)
            while True:
                response = server(sent)
                exchanges.append((sent.headers.get("authorization"), response))
                sent = await flow.asend(response)
        except StopAsyncIteration:
            return exchanges

    return asyncio.run(run())


Run = Callable[[Auth, Request, Server], list[tuple[str | None, Response]]]


@pytest.fixture(params=[run_sync, run_async])
def run(request: pytest.FixtureRequest) -> Run:
    return request.param  # type: ignore[no-any-return]


def ok(request: Request) -> Response:
    return Response()


class DigestServer:
    """Accepts Mufasa's answers to its nonces, each with a rising count; ``stale`` nonces are told so."""

    def __init__(
        self, *nonces: str, extra: str = "qop=auth, algorithm=SHA-256", password: str = "Circle of Life"
    ) -> None:
        self.nonces = list(nonces)
        self.extra = extra
        self.password = password
        self.count = 0
        self.stale = False
        self.next: str | None = None

    def challenge(self) -> str:
        stale = ", stale=true" if self.stale else ""
        return f'Digest realm="r", nonce="{self.nonces[0]}", {self.extra}{stale}'

    def refuse(self) -> Response:
        return Response(401, Headers([("WWW-Authenticate", "Basic realm=r"), ("WWW-Authenticate", self.challenge())]))

    def __call__(self, request: Request) -> Response:
        said = parse_parameters(request.headers.get("authorization", "").removeprefix("Digest "))
        if said.get("nonce") != self.nonces[0]:
            self.stale = bool(said)
            return self.refuse()
        challenge = choose_digest(parse_challenges([self.challenge()]))
        assert challenge is not None
        self.count += 1
        target = "/x?q=1"
        expected = digest_answer(
            challenge, "Mufasa", self.password, request.method, target, self.count, said.get("cnonce", "")
        )
        if request.headers["authorization"] != expected:
            self.count -= 1
            self.stale = False
            return self.refuse()
        info = {} if self.next is None else {"Authentication-Info": f'nextnonce="{self.next}", qop=auth'}
        return Response(headers=Headers(info))

    def rotate(self) -> None:
        self.nonces.pop(0)
        self.count = 0


def statuses(exchanges: list[tuple[str | None, Response]]) -> list[int]:
    return [response.status_code for _, response in exchanges]


def test_basic_sends_name_and_password_as_utf_8(run: Run) -> None:
    ((sent, _),) = run(BasicAuth("J\xe4s", "p:w"), Request(), ok)
    assert sent == "Basic " + base64.b64encode(b"J\xc3\xa4s:p:w").decode()
    ((sent, _),) = run(BasicAuth(b"\xff", b""), Request(), ok)
    assert sent == "Basic " + base64.b64encode(b"\xff:").decode()


@pytest.mark.rfc("7617", "2")
@pytest.mark.parametrize(("name", "password"), [("a:b", "c"), ("a\n", "c"), ("a", "c\0"), ("a\x7f", "")])
def test_basic_refuses_what_it_cannot_carry(name: str, password: str) -> None:
    with pytest.raises(ValueError, match="Basic"):
        BasicAuth(name, password)


def test_bearer_sends_a_token_or_what_a_function_gives(run: Run) -> None:
    tokens: Iterator[str] = iter(["t1", "t2"])
    auth = BearerAuth(lambda: next(tokens))
    assert [run(auth, Request(), ok)[0][0] for _ in range(2)] == ["Bearer t1", "Bearer t2"]
    assert run(BearerAuth("a-._~+/9=="), Request(), ok)[0][0] == "Bearer a-._~+/9=="


@pytest.mark.parametrize("token", ["", "a b", "a\r\nx: y", "=", "a=b", "é"])
def test_bearer_refuses_what_is_no_token(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        BearerAuth(token)
    with pytest.raises(ValueError, match="token"):
        run_sync(BearerAuth(lambda: token), Request(), ok)


def test_function_may_change_the_request(run: Run) -> None:
    def sign(request: Request) -> Request:
        request.headers["authorization"] = "signed"
        return request

    assert run(FunctionAuth(sign), Request(), ok)[0][0] == "signed"


def test_netrc_answers_for_the_exact_host_only(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "netrc"
    file.write_text(
        "machine a.example login me password pw\nmachine B.example login x\ndefault login all password no\n"
    )
    file.chmod(0o600)
    auth = NetRCAuth(file)
    sent = {
        url: run(auth, Request(url=url), ok)[0][0]
        for url in ("https://A.example:8443/", "http://b.example/", "https://www.a.example/", "https://example/")
    }
    assert sent == {
        "https://A.example:8443/": "Basic " + base64.b64encode(b"me:pw").decode(),
        "http://b.example/": "Basic " + base64.b64encode(b"x:").decode(),
        "https://www.a.example/": None,
        "https://example/": None,
    }
    own = Request(headers=Headers({"authorization": "mine"}))
    assert run(auth, own, ok)[0][0] == "mine"


@pytest.mark.rfc("7616", "3.3")
@pytest.mark.parametrize(
    "extra",
    [
        "qop=auth",
        'qop="auth-int,auth", algorithm=MD5-sess',
        "algorithm=SHA-256",
        "qop=auth, algorithm=SHA-512-256-sess, opaque=o, userhash=true",
        "charset=UTF-8",
    ],
)
def test_digest_answers_the_challenge(run: Run, extra: str) -> None:
    exchanges = run(DigestAuth("Mufasa", b"Circle of Life"), Request(), DigestServer("n1", extra=extra))
    assert statuses(exchanges) == [401, 200]
    assert exchanges[0][0] is None


def test_digest_answers_at_once_from_the_second_request_on_and_counts(run: Run) -> None:
    auth, server = DigestAuth("Mufasa", "Circle of Life"), DigestServer("n1")
    assert statuses(run(auth, Request(), server)) == [401, 200]
    for count in (2, 3):
        ((sent, response),) = run(auth, Request(), server)
        assert response.status_code == 200
        assert sent is not None
        assert f"nc=0000000{count}" in sent


def test_digest_takes_the_new_nonce_of_a_stale_one(run: Run) -> None:
    auth, server = DigestAuth("Mufasa", "Circle of Life"), DigestServer("n1", "n2")
    run(auth, Request(), server)
    server.rotate()
    assert statuses(run(auth, Request(), server)) == [401, 200]


def test_digest_uses_the_next_nonce_it_is_told(run: Run) -> None:
    auth, server = DigestAuth("Mufasa", "Circle of Life"), DigestServer("n1", "n2")
    server.next = "n2"
    run(auth, Request(), server)
    server.rotate()
    server.next = None
    assert statuses(run(auth, Request(), server)) == [200]


def test_digest_gives_up_on_wrong_credentials_after_one_answer(run: Run) -> None:
    auth, server = DigestAuth("Mufasa", "wrong"), DigestServer("n1")
    assert statuses(run(auth, Request(), server)) == [401, 401]
    assert statuses(run(auth, Request(), server)) == [401]


def test_digest_gives_up_on_a_server_that_always_wants_another_nonce(run: Run) -> None:
    nonces = iter(range(1000))

    def server(request: Request) -> Response:
        line = f"Digest realm=r, nonce=n{next(nonces)}, qop=auth, stale=true"
        return Response(401, Headers({"WWW-Authenticate": line}))

    auth = DigestAuth("Mufasa", "Circle of Life")
    assert statuses(run(auth, Request(), server)) == [401, 401, 401]
    assert statuses(run(auth, Request(), server)) == [401, 401, 401]


@pytest.mark.parametrize("status", [200, 403, 407])
def test_digest_leaves_other_answers_alone(run: Run, status: int) -> None:
    assert statuses(run(DigestAuth("a", "b"), Request(), lambda request: Response(status))) == [status]


def test_digest_without_a_challenge_it_can_answer_hands_over_the_401(run: Run) -> None:
    server = DigestServer("n1", extra="qop=auth-int")
    assert statuses(run(DigestAuth("a", "b"), Request(), server)) == [401]


def test_digest_never_answers_one_origin_by_the_nonce_of_another(run: Run) -> None:
    auth = DigestAuth("Mufasa", "Circle of Life")
    run(auth, Request(), DigestServer("n1"))
    for url in ("https://b.example/x?q=1", "http://a.example/x?q=1", "https://a.example:8443/x?q=1"):
        ((sent, _),) = run(auth, Request(url=url), ok)
        assert sent is None


def test_digest_counts_each_use_once_in_many_threads() -> None:
    auth = DigestAuth("Mufasa", "Circle of Life")
    run_sync(auth, Request(), DigestServer("n1"))
    seen: list[str] = []

    def work() -> None:
        for _ in range(200):
            ((sent, _),) = run_sync(auth, Request(), ok)
            assert sent is not None
            seen.append(parse_parameters(sent.removeprefix("Digest "))["nc"])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [f"{count:08x}" for count in range(2, 1602)]


def test_flow_that_asks_for_content_is_given_it(run: Run) -> None:
    class Reader(Auth):
        requires_request_body = True
        requires_response_body = True

        def auth_flow(self, request: Any) -> Generator[Any, Any, None]:
            assert request.content == b"read"
            response = yield request
            assert response.content == b"read"

    assert len(run(Reader(), Request(), ok)) == 1


def test_flow_that_is_left_early_is_closed() -> None:
    closed = []

    class Careful(Auth):
        def auth_flow(self, request: Any) -> Generator[Any, Any, None]:
            try:
                yield request
            finally:
                closed.append(True)

    flow = Careful().sync_auth_flow(Request())
    next(flow)
    flow.close()
    assert closed == [True]


def test_auth_is_built_from_what_a_caller_gives() -> None:
    auth = Auth()
    assert build_auth(None) is None
    assert build_auth(auth) is auth
    assert isinstance(build_auth(("a", "b")), BasicAuth)
    assert isinstance(build_auth(lambda request: request), FunctionAuth)
    wrong: Any = "a:b"
    with pytest.raises(TypeError, match="not str"):
        build_auth(wrong)


@pytest.mark.parametrize("auth", [BasicAuth("me", "s3cret"), BearerAuth("s3cret"), DigestAuth("me", "s3cret")])
def test_repr_shows_no_secret(auth: Auth) -> None:
    assert "s3cret" not in repr(auth)
    assert base64.b64encode(b"me:s3cret").decode() not in repr(auth)
