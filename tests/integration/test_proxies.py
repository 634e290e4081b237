"""Requests through real proxies; credentials go to the proxy alone."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest

import tasks
from deuterium import AsyncClient, ConnectError, ConnectTimeout, Proxy, ProxyError, Timeout
from servers import Fleet, Server, ServerProcess, Workspace
from servers.content import sha256
from servers.loopback import Loopback
from servers.process import free_port
from servers.proxies import PASSWORD, USER, microsocks, nghttpx, tinyproxy

pytestmark = pytest.mark.every_loop

CREDENTIALS = f"{USER}:{quote(PASSWORD)}@"


@pytest.fixture(scope="module")
def http_proxy(workspace: Workspace) -> Iterator[ServerProcess]:
    with tinyproxy(workspace) as process:
        yield process


@pytest.fixture(scope="module")
def guarded_proxy(workspace: Workspace) -> Iterator[ServerProcess]:
    with tinyproxy(workspace, credentials=True) as process:
        yield process


@pytest.fixture(scope="module")
def tls_proxy(workspace: Workspace, guarded_proxy: ServerProcess) -> Iterator[ServerProcess]:
    with nghttpx(workspace, guarded_proxy) as process:
        yield process


@pytest.fixture
def origin(fleet: Fleet) -> Server:
    return fleet.get("nginx")


def url_of(proxy: ServerProcess, scheme: str = "http", credentials: str = "") -> str:
    return f"{scheme}://{credentials}127.0.0.1:{proxy.port}"


async def whole(client: AsyncClient, url: str, path: str) -> Any:
    response = await client.get(url + path)
    assert hashlib.sha256(response.content).hexdigest() == sha256(path)
    return response


# -- tunnels ---------------------------------------------------------------------------------------------------------


def test_connect_proxy_carries_http2_to_the_origin(arun: Any, http_proxy: ServerProcess, origin: Server) -> None:
    async def scenario() -> None:
        async with AsyncClient(proxy=url_of(http_proxy), verify=str(origin.ca_file)) as client:
            responses = await tasks.gather(*[whole(client, origin.base_url, "/64k") for _ in range(20)])
            assert {response.http_version for response in responses} == {"HTTP/2"}
            await whole(client, origin.base_url, "/10m")

    arun(scenario())
    assert f"CONNECT 127.0.0.1:{origin.port}" in http_proxy.logs()


@pytest.mark.parametrize(("http2", "version"), [(True, "HTTP/2"), (False, "HTTP/1.1")])
def test_https_proxy_carries_tls_in_tls(
    arun: Any, tls_proxy: ServerProcess, origin: Server, http2: bool, version: str
) -> None:
    async def scenario() -> None:
        proxy = url_of(tls_proxy, "https", CREDENTIALS)
        async with AsyncClient(proxy=proxy, verify=str(origin.ca_file), http2=http2) as client:
            response = await whole(client, origin.base_url, "/64k")
            assert response.http_version == version
            await tasks.gather(*[whole(client, origin.base_url, "/1m") for _ in range(5)])
            await whole(client, origin.base_url, "/10m")

    arun(scenario())


def test_https_proxy_over_http2_carries_several_origins_on_one_connection(
    arun: Any, tls_proxy: ServerProcess, fleet: Fleet, origin: Server
) -> None:
    other = fleet.get("nghttpd")

    async def scenario() -> None:
        proxy = url_of(tls_proxy, "https", CREDENTIALS)
        async with AsyncClient(proxy=proxy, verify=str(origin.ca_file)) as client:
            await tasks.gather(
                *[whole(client, server.base_url, path) for server in (origin, other) for path in ("/1k", "/1m")]
            )
            pool: Any = client._sender.pool  # type: ignore[union-attr]
            ((link,),) = pool.dialer.proxied.links.values()
            assert link.tunnels == 2
            driver = link.driver
        await tasks.sleep(0.01)
        assert driver.lost  # closed with the last tunnel

    arun(scenario())


def test_https_proxy_tunnel_content_upload_arrives_whole(arun: Any, tls_proxy: ServerProcess, fleet: Fleet) -> None:
    echo = fleet.get("nghttpd")
    content = hashlib.shake_256(b"upload").digest(3 * 1024 * 1024)

    async def scenario() -> None:
        proxy = url_of(tls_proxy, "https", CREDENTIALS)
        async with AsyncClient(proxy=proxy, verify=str(echo.ca_file)) as client:
            response = await client.post(echo.url("/echo"), content=content, timeout=30.0)
            assert response.content == content

    arun(scenario())


def test_https_proxy_of_an_unknown_authority_is_a_proxy_error(arun: Any, tls_proxy: ServerProcess) -> None:
    async def scenario() -> None:
        async with AsyncClient(proxy=url_of(tls_proxy, "https")) as client:
            with pytest.raises(ProxyError, match="certificate") as failure:
                await client.get("https://127.0.0.1:1/")
            assert (failure.value.initiator, failure.value.request_processed) == ("library", False)

    arun(scenario())


def test_https_proxy_with_a_verification_of_its_own(arun: Any, tls_proxy: ServerProcess, origin: Server) -> None:
    async def scenario() -> None:
        proxy = Proxy(url_of(tls_proxy, "https"), auth=(USER, PASSWORD), verify=str(origin.ca_file))
        async with AsyncClient(proxy=proxy) as client:
            with pytest.raises(ConnectError, match="certificate"):  # the origin's: nobody said whom to trust
                await client.get(origin.url("/1k"))
        async with AsyncClient(proxy=proxy, verify=False) as client:
            await whole(client, origin.base_url, "/1k")

    arun(scenario())


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_without_its_credentials_refuses_with_407(
    arun: Any, guarded_proxy: ServerProcess, tls_proxy: ServerProcess, origin: Server, scheme: str
) -> None:
    async def scenario() -> None:
        process = tls_proxy if scheme == "https" else guarded_proxy
        for credentials in ("", f"{USER}:wrong@"):
            proxy = url_of(process, scheme, credentials)
            async with AsyncClient(proxy=proxy, verify=str(origin.ca_file)) as client:
                with pytest.raises(ProxyError) as failure:
                    await client.get(origin.url("/1k"))
        # tinyproxy says 407 to none and 401 to wrong credentials
        assert failure.value.status_code in (401, 407)
        assert failure.value.request_processed is False

    arun(scenario())


def test_proxy_that_cannot_reach_the_origin_is_a_proxy_error(arun: Any, http_proxy: ServerProcess) -> None:
    async def scenario() -> None:
        async with AsyncClient(proxy=url_of(http_proxy)) as client:
            with pytest.raises(ProxyError) as failure:
                await client.get(f"https://127.0.0.1:{free_port()}/")
            assert failure.value.status_code == 500

    arun(scenario())


@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h"])
def test_proxy_that_is_not_there_is_a_proxy_error(arun: Any, scheme: str) -> None:
    async def scenario() -> None:
        async with AsyncClient(proxy=f"{scheme}://127.0.0.1:{free_port()}") as client:
            for url in ("https://127.0.0.1:1/", "http://127.0.0.1:1/"):
                with pytest.raises(ProxyError) as failure:
                    await client.get(url)
                assert failure.value.status_code is None
                assert failure.value.request_processed is False

    arun(scenario())


@pytest.mark.parametrize("scheme", ["http", "https", "socks5h"])
def test_proxy_that_is_silent_ends_in_connect_timeout(arun: Any, scheme: str) -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts, nobody answers
            async with AsyncClient(proxy=f"{scheme}://127.0.0.1:{silent.getsockname()[1]}") as client:
                with pytest.raises(ConnectTimeout):
                    await client.get("https://127.0.0.1:1/", timeout=Timeout(5.0, connect=0.1))

    arun(scenario())


@pytest.mark.every_loop("trio as a guest")
@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200", b"SSH-2.0-x\r\n\r\n", b"\x05\xff", b"\x05"])
@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_proxy_that_talks_nonsense_is_a_proxy_error(arun: Any, scheme: str, answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(answer)
        writer.close()

    async def scenario() -> None:
        server = await tasks.on_asyncio(asyncio.start_server(talk, "127.0.0.1", 0))
        proxy = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with AsyncClient(proxy=proxy) as client:
            with closing(server), pytest.raises(ProxyError):
                await client.get("https://127.0.0.1:1/")

    arun(scenario())


# -- forwarding ------------------------------------------------------------------------------------------------------

# tinyproxy closes its connection after each answer, and nghttpx, which meant to keep it, answers 502 to a request that
# comes before it noticed.
NOTICE_S = 0.1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_http_url_is_forwarded_in_absolute_form_and_the_credentials_stay_with_the_proxy(
    arun: Any, guarded_proxy: ServerProcess, tls_proxy: ServerProcess, workspace: Workspace, scheme: str
) -> None:
    process = tls_proxy if scheme == "https" else guarded_proxy

    async def scenario() -> None:
        proxy = url_of(process, scheme, CREDENTIALS)
        async with AsyncClient(proxy=proxy, verify=str(workspace.ca_file)) as client:
            for _ in range(2):
                response = await client.get(server.url("127.0.0.1") + "a?b=c")
                assert response.status_code == 200
                assert response.http_version == ("HTTP/2" if scheme == "https" else "HTTP/1.1")
                assert "via" in response.headers
                await tasks.sleep(NOTICE_S)

    with Loopback() as server:
        arun(scenario())
        assert len(server.seen) == 2
        for head in server.seen:
            assert b"proxy-authorization" not in head.lower()
            assert b"/a?b=c" in head.split(b"\r\n")[0]


def test_http_urls_are_forwarded_over_one_http2_connection_to_an_https_proxy(
    arun: Any, tls_proxy: ServerProcess, workspace: Workspace
) -> None:
    async def scenario() -> None:
        proxy = url_of(tls_proxy, "https", CREDENTIALS)
        async with AsyncClient(proxy=proxy, verify=str(workspace.ca_file)) as client:
            url = server.url("127.0.0.1")
            responses = []
            for number in range(5):
                responses.append(await client.get(f"{url}{number}"))
                await tasks.sleep(NOTICE_S)
            assert {(each.status_code, each.http_version) for each in responses} == {(200, "HTTP/2")}
            (connection,) = client.stats().connections
            assert connection.requests == 5

    with Loopback() as server:
        arun(scenario())
        assert len(server.seen) == 5
        assert all(b"proxy-authorization" not in head.lower() for head in server.seen)


def test_forwarded_request_as_the_proxy_sees_it(arun: Any) -> None:
    async def scenario() -> None:
        async with AsyncClient(proxy=f"http://a:b@127.0.0.1:{proxy.port}") as client:
            await client.get("http://origin.example/a?b=c", headers={"host": "other.example"})
            await client.get("http://origin.example:8080/")

    with Loopback() as proxy:
        arun(scenario())
        first, second = (head.split(b"\r\n") for head in proxy.seen)
        assert first[:2] == [b"GET http://origin.example/a?b=c HTTP/1.1", b"Host: other.example"]
        assert second[:2] == [b"GET http://origin.example:8080/ HTTP/1.1", b"Host: origin.example:8080"]
        assert b"Proxy-Authorization: Basic YTpi" in first
        assert b"Proxy-Authorization: Basic YTpi" in second


def test_forwarded_request_without_credentials_is_answered_by_the_proxy(
    arun: Any, guarded_proxy: ServerProcess
) -> None:
    async def scenario() -> None:
        async with AsyncClient(proxy=url_of(guarded_proxy)) as client:
            assert (await client.get(server.url("127.0.0.1"))).status_code in (401, 407)

    with Loopback() as server:
        arun(scenario())
        assert server.seen == []


def test_tunnelled_request_shows_the_origin_no_credentials(
    arun: Any, guarded_proxy: ServerProcess, workspace: Workspace
) -> None:
    async def scenario() -> None:
        proxy = url_of(guarded_proxy, "http", CREDENTIALS)
        async with AsyncClient(proxy=proxy, verify=str(workspace.ca_file)) as client:
            assert (await client.get(server.url("127.0.0.1"))).status_code == 200

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(workspace.cert_file, workspace.key_file)
    with Loopback(context) as server:
        arun(scenario())
        assert all(b"proxy-" not in head.lower() for head in server.seen)


# -- SOCKS -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks_proxy_carries_every_protocol(
    arun: Any, workspace: Workspace, fleet: Fleet, origin: Server, scheme: str
) -> None:
    clear = fleet.get("nghttpd", tls=False)

    async def scenario(proxy: str) -> None:
        async with AsyncClient(proxy=proxy, verify=str(origin.ca_file)) as client:
            assert (await whole(client, origin.base_url, "/1m")).http_version == "HTTP/2"
            assert (await client.get(server.url("localhost"))).http_version == "HTTP/1.1"
        async with AsyncClient(proxy=proxy, http1=False) as client:
            assert (await whole(client, clear.base_url, "/1m")).http_version == "HTTP/2"

    with microsocks(workspace, credentials=True) as process, Loopback() as server:
        arun(scenario(url_of(process, scheme, CREDENTIALS)))


def test_socks_proxy_refuses_wrong_credentials_and_unreachable_origins(arun: Any, workspace: Workspace) -> None:
    async def scenario(proxy: str) -> ProxyError:
        async with AsyncClient(proxy=proxy) as client:
            with pytest.raises(ProxyError) as failure:
                await client.get(f"http://127.0.0.1:{free_port()}/")
            return failure.value

    with microsocks(workspace, credentials=True) as process:
        assert "refused" in str(arun(scenario(url_of(process, "socks5h", CREDENTIALS))))
        for credentials in ("", f"{USER}:wrong@"):
            assert arun(scenario(url_of(process, "socks5h", credentials))).request_processed is False


# -- environment -----------------------------------------------------------------------------------------------------


def test_environment_names_the_proxy_only_where_it_is_trusted(
    arun: Any, http_proxy: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY", "ALL_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", url_of(http_proxy))

    async def scenario(no_proxy: str, **options: Any) -> bool:
        monkeypatch.setenv("NO_PROXY", no_proxy)
        async with AsyncClient(**options) as client:
            response = await client.get(server.url("127.0.0.1"))
            return "via" in response.headers

    with Loopback() as server:
        assert arun(scenario("")) is True
        assert arun(scenario("127.0.0.0/8")) is False
        assert arun(scenario("", trust_env=False)) is False
        assert arun(scenario("*", proxy=url_of(http_proxy))) is True  # NO_PROXY speaks of the environment's proxies
