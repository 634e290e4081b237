"""How connections are opened: names, addresses, sockets, and what a dial leaves behind when it fails."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, ConnectError, ConnectTimeout, Limits, Timeout, TransportError, TransportOptions
from deuterium._net.dialer import AsyncDialer
from deuterium._net.loops import running_loop
from servers.loopback import Loopback

pytestmark = pytest.mark.every_loop

UNREACHABLE = "192.0.2.1"  # RFC 5737: nobody has it


class Names:
    """A resolver that answers from a list and counts."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, name: str, port: int) -> tuple[str, ...]:
        self.asked.append((name, port))
        await tasks.sleep(0)
        return self.addresses


async def facts(client: AsyncClient, url: str) -> Any:
    return (await client.get(url)).json()


def test_resolver_of_the_user_is_asked_once_for_concurrent_requests(arun: Any) -> None:
    names = Names("127.0.0.1")

    async def scenario() -> None:
        async with AsyncClient(resolver=names) as client:
            url = server.url("service.example")
            await tasks.gather(*[client.get(url) for _ in range(5)])
        assert names.asked == [("service.example", server.port)]

    with Loopback() as server:
        arun(scenario())


def test_resolver_that_answers_no_address_is_a_connect_error(arun: Any) -> None:
    async def scenario(answer: tuple[str, ...]) -> ConnectError:
        async with AsyncClient(resolver=Names(*answer)) as client:
            with pytest.raises(ConnectError) as failure:
                await client.get("http://service.example/")
            return failure.value

    assert arun(scenario(())).request_processed is False
    assert "not an IP address" in str(arun(scenario(("service.internal",))))


def test_unknown_name_is_a_connect_error(arun: Any) -> None:
    async def scenario() -> None:
        async with AsyncClient() as client:
            with pytest.raises(ConnectError, match="has no address") as failure:
                await client.get("http://name.invalid/")  # RFC 6761 section 6.4
        assert failure.value.request_processed is False
        assert isinstance(failure.value.__cause__, socket.gaierror)

    arun(scenario())


def test_dead_address_beside_a_live_one_costs_one_attempt_delay_and_is_then_tried_last(arun: Any) -> None:
    names = Names("::1", "127.0.0.1")  # nothing listens on the first

    async def scenario() -> None:
        options = TransportOptions(resolver=names)
        async with AsyncClient(transport=options) as client:
            assert (await facts(client, server.url("service.example")))["peer"][0] == "127.0.0.1"
        dialer = AsyncDialer(running_loop(), options)
        sock = await dialer.connect("service.example", server.port)
        sock.close()
        order = [address[4][0] for address in await dialer.resolver.resolve("service.example", server.port)]
        assert order == ["127.0.0.1", "::1"]

    with Loopback() as server:
        arun(scenario())


def test_refused_port_is_a_connect_error_that_names_it(arun: Any) -> None:
    with Loopback() as server:
        port = server.port

    async def scenario() -> None:
        async with AsyncClient() as client:
            with pytest.raises(ConnectError, match=str(port)) as failure:
                await client.get(f"http://127.0.0.1:{port}/")
        assert failure.value.request_processed is False

    arun(scenario())


def test_silent_server_ends_in_connect_timeout_and_leaves_no_socket(arun: Any) -> None:
    async def scenario() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        counts = []
        async with AsyncClient(verify=False) as client:
            for _ in range(3):  # the first dial opens what the loop itself needs
                with pytest.raises(ConnectTimeout) as failure:
                    await client.get(f"https://127.0.0.1:{port}/", timeout=Timeout(5.0, connect=0.1))
                assert failure.value.request_processed is False
                await tasks.sleep(0.01)
                counts.append(len(list(Path("/proc/self/fd").iterdir())))
        assert counts[0] == counts[2]
        listener.close()

    arun(scenario())


def test_unix_socket_is_used_whatever_the_url_says(arun: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "server.sock")

    async def scenario() -> None:
        async with AsyncClient(uds=path) as client:
            assert (await client.get("http://service.example/")).status_code == 200
        async with AsyncClient(uds=path + "x") as client:
            with pytest.raises(ConnectError, match=r"server\.sockx"):
                await client.get("http://service.example/")

    with Loopback(uds=path) as server:
        arun(scenario())
        assert b"Host: service.example" in server.seen[0]


def test_local_address_is_what_the_server_sees(arun: Any) -> None:
    async def scenario() -> None:
        async with AsyncClient(local_address="127.0.0.9") as client:
            assert (await facts(client, server.url("127.0.0.1")))["peer"][0] == "127.0.0.9"
            with pytest.raises(ConnectError, match="no address of the family"):
                await client.get("http://[::1]/")

    with Loopback() as server:
        arun(scenario())


def test_local_address_that_is_none_of_ours_is_a_connect_error(arun: Any) -> None:
    async def scenario() -> None:
        async with AsyncClient(local_address=UNREACHABLE) as client:
            with pytest.raises(ConnectError):
                await client.get(server.url("127.0.0.1"))

    with Loopback() as server:
        arun(scenario())


def test_socket_options_are_set_and_the_users_win(arun: Any) -> None:
    async def scenario() -> None:
        own = ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0), (socket.SOL_SOCKET, socket.SO_RCVBUF, 9216))
        options = TransportOptions(keepalive_s=77, socket_options=own)
        dialer = AsyncDialer(running_loop(), options)
        with await dialer.connect("127.0.0.1", server.port) as sock:
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 77
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 18432  # the kernel doubles it

    with Loopback() as server:
        arun(scenario())


def test_socket_option_the_kernel_refuses_is_a_connect_error(arun: Any) -> None:
    async def scenario() -> None:
        async with AsyncClient(socket_options=[(socket.SOL_SOCKET, 9999, 1)]) as client:
            with pytest.raises(ConnectError):
                await client.get(server.url("127.0.0.1"))

    with Loopback() as server:
        arun(scenario())


def test_connection_past_its_age_is_replaced_after_another_resolution(arun: Any) -> None:
    names = Names("127.0.0.1")

    async def scenario() -> None:
        async with AsyncClient(resolver=names, limits=Limits(max_connection_age=0.1)) as client:
            url = server.url("service.example")
            assert (await facts(client, url))["connection"] == 1
            assert len(names.asked) == 1
            names.addresses = ("127.0.0.2",)
            await tasks.sleep(1.3)  # housekeeping looks once a second
            after = await facts(client, url)
            assert after["connection"] == 2
            assert len(names.asked) == 2

    with Loopback(host="0.0.0.0") as server:
        arun(scenario())


def test_redial_within_the_life_of_an_answer_does_not_resolve_again(arun: Any) -> None:
    names = Names("127.0.0.1")

    async def scenario() -> None:
        async with AsyncClient(resolver=names, limits=Limits(keepalive_expiry=0.0)) as client:
            url = server.url("service.example")
            await client.get(url)
            await tasks.sleep(1.3)
            assert (await facts(client, url))["connection"] == 2
            assert len(names.asked) == 1

    with Loopback() as server:
        arun(scenario())


def test_cancelled_dial_leaves_no_socket_and_lets_the_next_resolve(arun: Any) -> None:
    class Slow(Names):
        async def __call__(self, name: str, port: int) -> tuple[str, ...]:
            self.asked.append((name, port))
            if len(self.asked) == 1:
                await tasks.sleep(30)
            return self.addresses

    names = Slow("127.0.0.1")

    async def scenario() -> None:
        dialer = AsyncDialer(running_loop(), TransportOptions(resolver=names))
        first = tasks.start(dialer.connect("service.example", server.port))
        await tasks.sleep(0)
        await tasks.sleep(0)
        second = tasks.start(dialer.connect("service.example", server.port))
        await tasks.sleep(0.01)
        first.cancel()
        (await second).close()
        assert len(names.asked) == 2
        assert dialer.resolver.cache.stats().resolving == 0

    with Loopback() as server:
        arun(scenario())


def test_dial_that_ends_after_the_client_was_closed_leaves_no_connection(arun: Any) -> None:
    class Held(Names):
        async def __call__(self, name: str, port: int) -> tuple[str, ...]:
            self.asked.append((name, port))
            await over.wait()
            return self.addresses

    names = Held("127.0.0.1")
    over: Any = None

    async def scenario() -> None:
        nonlocal over
        over = tasks.Event()
        async with AsyncClient() as other:
            await other.get(server.url("127.0.0.1"))  # the first connection opens what the loop itself needs
        client = AsyncClient(resolver=names)
        dial = tasks.start(client.warm_up(server.url("service.example")))
        while not names.asked:
            await tasks.sleep(0.001)
        before = len(list(Path("/proc/self/fd").iterdir()))
        await client.aclose()
        over.set()
        with pytest.raises(TransportError, match="the client was closed"):
            await dial
        async with tasks.timeout(5):
            while len(list(Path("/proc/self/fd").iterdir())) > before:
                await tasks.sleep(0.01)

    with Loopback() as server:
        arun(scenario())


@pytest.mark.parametrize(
    "wrong",
    [
        {"uds": "/run/x", "local_address": "127.0.0.1"},
        {"local_address": "localhost"},
        {"keepalive_s": 0},
        {"happy_eyeballs_s": 0.0},
        {"dns_life_s": -1.0},
    ],
)
def test_transport_options_first_illegal_value_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"uds|local|keepalive_s|happy|dns"):
        TransportOptions(**wrong)
    TransportOptions(keepalive_s=1, dns_life_s=0.0, local_address="::1")
