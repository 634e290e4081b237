"""Client under gevent: greenlets wait for it as threads do, and nothing else of their thread stands still.

gevent replaces parts of the standard library for good, and wants to before they are imported; so each test runs its
scenario in an interpreter of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import deuterium
from servers import Fleet, Server

pytest.importorskip("gevent", reason="gevent is not installed")

TESTS = Path(__file__).resolve().parent.parent
SOURCE = Path(deuterium.__file__).resolve().parent.parent
PREFACE = """
from gevent import monkey
monkey.patch_all()
import gevent, hashlib, sys, time
sys.path.insert(0, {tests!r})
import deuterium
from deuterium import Client
from servers.content import octets, sha256

def carriers(client):
    return [carrier for route in client._sender.pool.routes.values() for carrier in route.carriers]

def correct(path, content):
    return hashlib.sha256(content).hexdigest() == sha256(path)

def run(work, count):
    jobs = [gevent.spawn(work, number) for number in range(count)]
    assert len(gevent.joinall(jobs, timeout=30, raise_error=True)) == count

def client_for(**options):
    return Client(**{{"verify": {ca!r}, "base_url": {url!r}, "http1": False, "timeout": 10, **options}})
"""


def run_patched(server: Server, scenario: str) -> None:
    """The scenario in an interpreter where gevent replaced the standard library's threads, sockets and locks."""
    preface = PREFACE.format(tests=str(TESTS), ca=str(server.ca_file), url=server.base_url)
    done = subprocess.run(
        [sys.executable, "-c", preface + textwrap.dedent(scenario)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
def test_greenlets_share_one_connection_and_get_their_own_content(fleet: Fleet, tls: bool) -> None:
    run_patched(
        fleet.get("nghttpd", tls=tls),
        """
        def work(number):
            path = "/10m" if number % 25 == 0 else ("/100", "/1k", "/64k")[number % 3]
            for _ in range(2):
                assert correct(path, client.get(path).content)
                with client.stream("GET", path) as response:
                    assert correct(path, b"".join(response.iter_bytes()))

        with client_for() as client:
            client.get("/100")
            run(work, 100)
            assert len(carriers(client)) == 1
            assert carriers(client)[0].engine.active() == 0
        """,
    )


def test_greenlet_that_waits_lets_the_others_of_its_thread_run(fleet: Fleet) -> None:
    run_patched(
        fleet.get("hypercorn", tls=True),
        """
        turns = 0

        def tick():
            global turns
            while True:
                gevent.sleep(0.01)
                turns += 1

        with client_for() as client:
            ticker = gevent.spawn(tick)
            began = time.monotonic()
            run(lambda number: client.get("/slow/0.5").raise_for_status(), 20)
            assert time.monotonic() - began < 4, "they were answered one after the other"
            assert turns > 20, turns
            ticker.kill()
        """,
    )


def test_greenlets_over_http1_dial_beside_each_other(fleet: Fleet) -> None:
    run_patched(
        fleet.get("nginx", tls=True),
        """
        with client_for(http1=True, http2=False, limits=deuterium.Limits(max_connections=5)) as client:
            def work(number):
                for _ in range(3):
                    assert correct("/64k", client.get("/64k").content)
            run(work, 30)
            assert 1 < len(carriers(client)) <= 5
            assert [len(each.content) for each in client.fetch_many(["/1k"] * 40, concurrency=4)] == [1024] * 40
        """,
    )


def test_greenlets_upload_time_out_and_are_killed_apart(fleet: Fleet) -> None:
    run_patched(
        fleet.get("hypercorn", tls=True),
        """
        content = octets(300_000)

        def work(number):
            if number % 3 == 0:
                assert client.post("/echo", content=iter([content] * 3)).content == content * 3
            elif number % 3 == 1:
                try:
                    client.get("/slow/9", timeout=deuterium.Timeout(5, read=0.3))
                except deuterium.ReadTimeout:
                    return
                raise AssertionError("there was no time-out")
            else:
                assert client.get("/json").json()["name"] == "deuterium"

        with client_for() as client:
            client.get("/json")
            killed = [gevent.spawn(client.get, "/slow/20") for _ in range(5)]
            gevent.sleep(0.2)
            gevent.killall(killed[:2])
            run(work, 30)
            gevent.killall(killed)
            assert client.get("/json").status_code == 200
            assert [carrier.engine.active() for carrier in carriers(client)] == [0]
            assert [len(each.content) for each in client.fetch_many(["/json"] * 20)]
        """,
    )


def test_close_in_one_greenlet_ends_the_requests_of_others(fleet: Fleet) -> None:
    run_patched(
        fleet.get("hypercorn", tls=True),
        """
        client = client_for()
        client.get("/json")
        outcome = []

        def work(number):
            try:
                client.get("/slow/20")
            except (deuterium.TransportError, RuntimeError) as error:
                outcome.append(error)

        jobs = [gevent.spawn(work, number) for number in range(10)]
        gevent.sleep(0.2)
        client.close()
        gevent.joinall(jobs, timeout=5)
        assert len(outcome) == 10
        """,
    )
