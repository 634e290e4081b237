"""The stores of breaker states: one contract for memory, SQLite and a real Redis, and several real processes."""

from __future__ import annotations

import multiprocessing
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deuterium._pool.breaker import Breaker, BreakerRecord
from deuterium._pool.breaker_store import (
    BreakerStore,
    BreakerStoreError,
    MemoryBreakerStore,
    RedisBreakerStore,
    SharedBreaker,
    SqliteBreakerStore,
    decode,
    encode,
)
from deuterium.config import BreakerPolicy

ORIGIN = "https://origin.test"
OPEN = BreakerRecord("open", 1005.0, 1, 1000.0)
WALL = 1_000.0


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server of our own on a loopback port (Debian: redis-server), without a file on disk."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server on this machine")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(
        [*command, "--dir", str(tmp_path_factory.mktemp("redis"))], stdout=subprocess.DEVNULL
    ) as server:
        try:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                with socket.socket() as client:
                    if client.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.02)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


Opener = Callable[[], BreakerStore]


@pytest.fixture(params=["memory", "sqlite", "redis"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens the same store, as often as called."""
    if request.param == "memory":
        memory = MemoryBreakerStore()
        return lambda: memory
    if request.param == "sqlite":
        return lambda: SqliteBreakerStore(tmp_path / "breakers.sqlite")
    pytest.importorskip("redis", reason="deuterium[redis] is not installed")
    url = request.getfixturevalue("redis_url")
    return lambda: RedisBreakerStore.from_url(url, prefix=f"test:{tmp_path}:")


def breaker() -> Breaker:
    return Breaker(ORIGIN, BreakerPolicy(failures_in_a_row=1, probes=1))


def test_store_knows_nothing_at_first(opener: Opener) -> None:
    assert opener().load(ORIGIN) is None


def test_store_returns_what_was_saved(opener: Opener) -> None:
    written = opener().save(ORIGIN, OPEN)
    assert written is not None
    assert written.version > 0
    other = opener()
    assert other.load(ORIGIN) == written
    assert other.load("https://other.test") is None
    other.close()


def test_store_refuses_a_write_over_another(opener: Opener) -> None:
    store = opener()
    first = store.save(ORIGIN, OPEN)
    assert first is not None
    assert store.save(ORIGIN, OPEN) is None, "version 0 is only for what is not there"
    second = store.save(ORIGIN, first)
    assert second is not None
    assert second.version > first.version
    assert store.save(ORIGIN, first) is None
    assert store.load(ORIGIN) == second


def test_store_forgets_what_is_deleted(opener: Opener) -> None:
    store = opener()
    store.save(ORIGIN, OPEN)
    store.delete(ORIGIN)
    store.delete(ORIGIN)
    assert store.load(ORIGIN) is None
    assert store.save(ORIGIN, OPEN) is not None


def test_store_concurrent_writers_one_wins_each_version(opener: Opener) -> None:
    wins: list[int] = []
    barrier = threading.Barrier(8)

    def write() -> None:
        store = opener()
        barrier.wait()
        for _ in range(10):
            written = store.save(ORIGIN, store.load(ORIGIN) or OPEN)
            if written is not None:
                wins.append(written.version)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wins) == len(set(wins)), "two writers won the same version"
    stored = opener().load(ORIGIN)
    assert stored is not None
    assert stored.version == max(wins)


def test_shared_breaker_opening_reaches_the_other(opener: Opener) -> None:
    here, there = SharedBreaker(breaker(), opener()), SharedBreaker(breaker(), opener())
    assert here.synchronise(0.0, WALL).written is None, "nothing has changed, nothing is written"
    here.breaker.allow(0.0).failure(0.0)
    assert here.synchronise(0.0, WALL).written is not None
    there.synchronise(50.0, WALL + 1.0)
    assert there.breaker.state_at(53.9) == "open"
    assert there.breaker.state_at(54.0) == "half-open"
    there.breaker.allow(54.0).success(54.0)
    there.synchronise(54.0, WALL + 5.0)
    here.synchronise(5.0, WALL + 5.0)
    assert here.breaker.state_at(5.0) == "closed"


def test_shared_breaker_that_is_second_takes_over_the_first(opener: Opener) -> None:
    here, there = SharedBreaker(breaker(), opener()), SharedBreaker(breaker(), opener())
    here.breaker.allow(0.0).failure(0.0)
    there.breaker.trip(3.0)
    here.synchronise(0.0, WALL)
    answer = there.synchronise(3.0, WALL + 3.0)
    assert answer.stored is not None
    assert there.breaker.open_until == pytest.approx(5.0)
    there.breaker.reset(4.0)
    assert there.synchronise(4.0, WALL + 4.0).written is not None


def test_shared_breaker_survives_a_restart(opener: Opener) -> None:
    before = SharedBreaker(breaker(), opener())
    before.breaker.trip(0.0)
    before.synchronise(0.0, WALL)
    after = SharedBreaker(breaker(), opener())
    after.synchronise(1000.0, WALL + 2.0)
    assert after.breaker.state_at(1000.0) == "open"


def test_shared_breaker_record_lost_meanwhile_is_written_anew(opener: Opener) -> None:
    store = opener()
    here = SharedBreaker(breaker(), store)
    here.breaker.trip(0.0)
    here.synchronise(0.0, WALL)
    store.delete(ORIGIN)
    here.breaker.reset(1.0)
    answer = here.synchronise(1.0, WALL + 1.0)
    assert answer.written is not None
    assert store.load(ORIGIN) == answer.written


def test_shared_breaker_change_while_the_store_is_asked_is_kept_for_next_time(opener: Opener) -> None:
    store = opener()
    store.save(ORIGIN, BreakerRecord("closed", 0.0, 0, 990.0))
    here = SharedBreaker(breaker(), store)
    request = here.begin(0.0, WALL)
    here.breaker.trip(0.0)
    here.finish(request, here.carry_out(request), 0.0, WALL)
    assert here.breaker.state_at(0.0) == "open"
    assert here.synchronise(0.0, WALL).written is not None


def test_sqlite_record_that_is_not_one_is_replaced(tmp_path: Path) -> None:
    store = SqliteBreakerStore(tmp_path / "b.sqlite")
    database = sqlite3.connect(tmp_path / "b.sqlite")
    database.execute("INSERT INTO breaker VALUES (?, 7, 'junk')", (ORIGIN,))
    database.commit()
    database.close()
    assert store.load(ORIGIN) is None
    here = SharedBreaker(breaker(), store)
    here.breaker.trip(0.0)
    assert here.synchronise(0.0, WALL).written is not None
    stored = store.load(ORIGIN)
    assert stored is not None
    assert stored.state == "open"


@pytest.mark.parametrize("content", [b"not a database, but long enough to be taken for one" * 40])
def test_sqlite_file_that_is_no_database_raises(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.sqlite").write_bytes(content)
    with pytest.raises(BreakerStoreError, match="SQLite"):
        SqliteBreakerStore(tmp_path / "b.sqlite")


def test_shared_breaker_store_that_fails_costs_no_request(tmp_path: Path) -> None:
    store = SqliteBreakerStore(tmp_path / "b.sqlite")
    (tmp_path / "b.sqlite").write_bytes(b"broken meanwhile" * 100)
    here = SharedBreaker(breaker(), store)
    here.breaker.trip(0.0)
    assert here.synchronise(0.0, WALL).error is not None
    assert here.failures == 1
    assert here.breaker.state_at(0.0) == "open"


def test_redis_unreachable_raises() -> None:
    pytest.importorskip("redis", reason="deuterium[redis] is not installed")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refused
        store = RedisBreakerStore.from_url(f"redis://127.0.0.1:{taken.getsockname()[1]}/0", timeout_s=1.0)
        with pytest.raises(BreakerStoreError, match="Redis"):
            store.load(ORIGIN)
        store.close()


@pytest.mark.parametrize(
    ("text", "legal"),
    [
        (encode(OPEN), True),
        (encode(OPEN).replace("open_until", "until"), False),
        (encode(OPEN).replace('"open"', '"ajar"'), False),
        (encode(OPEN).replace("1005.0", "1e10"), True),
        (encode(OPEN).replace("1005.0", "1e11"), False),
        (encode(OPEN).replace("1005.0", "1e999"), False),
        (encode(OPEN).replace("1005.0", "NaN"), False),
        (encode(OPEN).replace("1005.0", "true"), False),
        (encode(OPEN).replace("1005.0", "1" + "0" * 400), False),
        (encode(OPEN).replace(": 1,", ": -1,"), False),
        (encode(OPEN).replace(": 1,", ": 1.5,"), False),
        (encode(OPEN).replace(": 1,", f": {2**31 - 1},"), True),
        (encode(OPEN).replace(": 1,", f": {2**31},"), False),
        (encode(OPEN) + " " * (4096 - len(encode(OPEN))), True),
        (encode(OPEN) + " " * (4097 - len(encode(OPEN))), False),
        ("[" * 4000, False),
        ("[]", False),
        ("", False),
        (b"\xff\xfe", False),
    ],
)
def test_decode_takes_a_record_and_nothing_else(text: str | bytes, legal: bool) -> None:
    record = decode(text, 3)
    assert (record is not None) == legal
    if record is not None:
        assert record.version == 3
        breaker().restore(record, 0.0, 1000.0)


def contend(path: str, rounds: int, results: multiprocessing.Queue[list[int]]) -> None:
    """One process of the test below: bump the record until ``rounds`` writes of its own have won."""
    store = SqliteBreakerStore(path)
    wins: list[int] = []
    while len(wins) < rounds:
        written = store.save(ORIGIN, store.load(ORIGIN) or OPEN)
        if written is not None:
            wins.append(written.version)
    results.put(wins)


def test_sqlite_several_processes_lose_no_write(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[list[int]] = context.Queue()
    path = str(tmp_path / "b.sqlite")
    processes = [context.Process(target=contend, args=(path, 25, results)) for _ in range(4)]
    for process in processes:
        process.start()
    versions = [version for _ in processes for version in results.get(timeout=60)]
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0
    assert len(set(versions)) == 4 * 25
    stored = SqliteBreakerStore(path).load(ORIGIN)
    assert stored is not None
    assert stored.version == max(versions) == min(versions) + 99
