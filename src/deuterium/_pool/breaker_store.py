"""Where breaker states outlive a process: memory, a SQLite file, Redis.

A store keeps one BreakerRecord per origin. ``save`` names the version the writer last saw and succeeds only
if that is still what is stored; so of several processes that saw the same state one wins, and the others take
over what it wrote (``synchronise``). These are the only blocking calls of the pool layer's policies: a front
end makes them off its event loop, when a breaker changed and now and then to hear of other processes.

A store that fails raises BreakerStoreError; ``synchronise`` turns that into False, because a request must not
fail for its breaker's memory.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import threading
from collections.abc import Iterator
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Protocol

from . import forks
from .breaker import STATES, Breaker, BreakerRecord

if TYPE_CHECKING:
    import sqlite3

LOOK_S = 1.0  # how often a breaker that did not change is compared with what is stored
ANSWER_S = 30.0  # a question without an answer for so long is asked anew
STORE_WAIT_S = 1.0  # what the first request to an origin waits for the answer; then it goes by what is known
SQLITE_WAIT_S = 5.0  # for another process's write, which takes milliseconds
MAX_RECORD_BYTES = 4096  # ours have about 100; more is not ours
MAX_OPENINGS = 2**31
MAX_TIME_S = 1e11  # the year 5138; milliseconds of it fit 64 bits
REDIS_LIFE_S = 7 * 24 * 3600  # an origin not heard of for a week starts closed
REDIS_PREFIX = "deuterium:breaker:"


class BreakerStoreError(Exception):
    """The store could not be read or written; the cause is chained."""


class BreakerStore(Protocol):
    """What a store does. Safe from several threads; each call may block on its medium."""

    def load(self, origin: str) -> BreakerRecord | None:
        """The record of ``origin``; None when there is none, or what is stored is not one."""

    def save(self, origin: str, record: BreakerRecord) -> BreakerRecord | None:
        """Store ``record`` if its version is the stored one (0: nothing stored); it with its new version, or None."""

    def delete(self, origin: str) -> None:
        """Forget ``origin``."""

    def close(self) -> None:
        """Release what the store holds open; it is not used after that."""


class MemoryBreakerStore:
    """Records in this process: shared by the clients that share the store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, BreakerRecord] = {}
        forks.watch(self)

    def after_fork(self) -> None:
        """In a child process: the lock may have been held by a thread that does not exist here."""
        self._lock = threading.Lock()

    def load(self, origin: str) -> BreakerRecord | None:
        return self._records.get(origin)

    def save(self, origin: str, record: BreakerRecord) -> BreakerRecord | None:
        with self._lock:
            stored = self._records.get(origin)
            if record.version != (0 if stored is None else stored.version):
                return None
            written = _next_version(record)
            self._records[origin] = written
            return written

    def delete(self, origin: str) -> None:
        with self._lock:
            self._records.pop(origin, None)

    def close(self) -> None:
        pass


class SqliteBreakerStore:
    """Records in a SQLite file, for the processes of one machine.

    Every call opens the file anew: 0.1 ms, a few times a minute, and nothing is held that a fork or another
    thread could break. A write is one statement, so SQLite's own lock makes the compare and the write one
    step.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: str = os.fspath(path)
        with self._open() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS breaker"
                " (origin TEXT PRIMARY KEY, version INTEGER NOT NULL, record TEXT NOT NULL)"
            )

    def load(self, origin: str) -> BreakerRecord | None:
        with self._open() as database:
            row = database.execute("SELECT record, version FROM breaker WHERE origin = ?", (origin,)).fetchone()
        return None if row is None else decode(row[0], row[1])

    def save(self, origin: str, record: BreakerRecord) -> BreakerRecord | None:
        written = _next_version(record)
        values = {"origin": origin, "new": written.version, "seen": record.version, "record": encode(written)}
        with self._open() as database:
            if record.version == 0:
                changed = database.execute("INSERT OR IGNORE INTO breaker VALUES (:origin, :new, :record)", values)
            else:
                changed = database.execute(
                    "UPDATE breaker SET version = :new, record = :record WHERE origin = :origin AND version = :seen",
                    values,
                )
            return written if changed.rowcount == 1 else None

    def delete(self, origin: str) -> None:
        with self._open() as database:
            database.execute("DELETE FROM breaker WHERE origin = ?", (origin,))

    def close(self) -> None:
        pass

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        import sqlite3  # few clients need it

        try:
            # isolation_level None: every statement is its own transaction.
            with contextlib.closing(
                sqlite3.connect(self.path, timeout=SQLITE_WAIT_S, isolation_level=None)
            ) as database:
                yield database
        except sqlite3.Error as error:
            raise BreakerStoreError(f"SQLite: {error}") from error


class RedisBreakerStore:
    """Records in Redis, for processes of several machines; needs ``deuterium[redis]``.

    ``client`` is a ``redis.Redis``; see ``from_url``. The compare and the write are one script, which Redis
    runs as one step.
    """

    SAVE = """
        local stored = redis.call('HGET', KEYS[1], 'version')
        if (stored or '0') ~= ARGV[1] then return 0 end
        redis.call('HSET', KEYS[1], 'version', ARGV[2], 'record', ARGV[3])
        redis.call('EXPIRE', KEYS[1], ARGV[4])
        return 1
    """

    def __init__(self, client: Any, prefix: str = REDIS_PREFIX, life_s: int = REDIS_LIFE_S) -> None:
        self._client = client
        self._prefix = prefix
        self._life_s = life_s

    @classmethod
    def from_url(cls, url: str, prefix: str = REDIS_PREFIX, timeout_s: float = 5.0) -> RedisBreakerStore:
        """A store on ``redis://[user:password@]host:port/number``, ``rediss://`` or ``unix://``."""
        import redis

        client = redis.Redis.from_url(url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s)
        return cls(client, prefix)

    def load(self, origin: str) -> BreakerRecord | None:
        with self._errors():
            version, record = self._client.hmget(self._prefix + origin, "version", "record")
        if version is None or record is None or not version.isdigit():
            return None
        return decode(record, int(version))

    def save(self, origin: str, record: BreakerRecord) -> BreakerRecord | None:
        written = _next_version(record)
        with self._errors():
            done = self._client.eval(
                self.SAVE,
                1,
                self._prefix + origin,
                str(record.version),
                str(written.version),
                encode(written),
                str(self._life_s),
            )
        return written if done == 1 else None

    def delete(self, origin: str) -> None:
        with self._errors():
            self._client.delete(self._prefix + origin)

    def close(self) -> None:
        with self._errors():
            self._client.close()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        import redis

        try:
            yield
        except redis.RedisError as error:
            raise BreakerStoreError(f"Redis: {error}") from error


@dataclasses.dataclass(frozen=True, slots=True)
class SyncRequest:
    """What is asked of a store: write ``record`` over ``version``, or with None, say what is there."""

    origin: str
    version: int
    spell: int
    record: BreakerRecord | None


@dataclasses.dataclass(frozen=True, slots=True)
class SyncAnswer:
    """What the store did: ``written``, or ``stored`` by another process, or neither; ``error`` if it failed."""

    written: BreakerRecord | None = None
    stored: BreakerRecord | None = None
    error: BreakerStoreError | None = None


class SharedBreaker:
    """A breaker and its record, brought together in three steps.

    Only ``carry_out`` blocks, and it leaves the breaker alone.

    A breaker that changed writes its state, unless another process wrote since this one last looked: then
    that state counts. One that did not change takes over what is stored. A breaker that changed while the
    store was asked keeps its change for the next time.
    """

    def __init__(self, breaker: Breaker, store: BreakerStore) -> None:
        self.breaker = breaker
        self.store = store
        self.failures = 0
        self.asked_until = float("-inf")  # a question is under way
        self._seen_spell = breaker.spell
        self._next_look = float("-inf")
        self._known = False  # the store was asked at least once

    def question(self, now: float) -> StoreQuestion | None:
        """What to ask the store now, if anything: the breaker changed, or LOOK_S are over, and nobody is asking."""
        if now < self.asked_until or (now < self._next_look and self.breaker.spell == self._seen_spell):
            return None
        self.asked_until = now + ANSWER_S
        self._next_look = now + LOOK_S
        first, self._known = not self._known, True
        return StoreQuestion(self, self.begin(now, time()), first)

    def begin(self, now: float, wall_now: float) -> SyncRequest:
        """What to ask the store; ``wall_now`` is the time since the epoch."""
        breaker = self.breaker
        record = None if breaker.spell == self._seen_spell else breaker.record(now, wall_now)
        return SyncRequest(breaker.origin, breaker.version, breaker.spell, record)

    def carry_out(self, request: SyncRequest) -> SyncAnswer:
        """Ask the store. Blocks; may run in any thread."""
        store = self.store
        try:
            stored = store.load(request.origin)
            if stored is not None and stored.version != request.version:
                return SyncAnswer(stored=stored)
            if request.record is None:
                return SyncAnswer()
            record = request.record
            if stored is None:  # never there, expired, or not a record
                record = dataclasses.replace(record, version=0)
            written = store.save(request.origin, record)
            if written is not None:
                return SyncAnswer(written=written)
            stored = store.load(request.origin)
            if stored is not None:
                return SyncAnswer(stored=stored)
            store.delete(request.origin)  # what is there is not a record, or is just being deleted
            return SyncAnswer(written=store.save(request.origin, dataclasses.replace(record, version=0)))
        except BreakerStoreError as error:
            return SyncAnswer(error=error)

    def finish(self, request: SyncRequest, answer: SyncAnswer, now: float, wall_now: float) -> None:
        """Take in what the store did."""
        breaker = self.breaker
        if answer.error is not None:
            self.failures += 1
        elif answer.written is not None:
            breaker.version = answer.written.version
            self._seen_spell = request.spell
        elif answer.stored is not None:
            if breaker.spell == request.spell:
                breaker.restore(answer.stored, now, wall_now)
                self._seen_spell = breaker.spell
            breaker.version = answer.stored.version

    def synchronise(self, now: float, wall_now: float) -> SyncAnswer:
        """All three steps, for whoever may block."""
        request = self.begin(now, wall_now)
        answer = self.carry_out(request)
        self.finish(request, answer, now, wall_now)
        return answer


class StoreQuestion:
    """One question to a store. ``first``: what another process stored is not known yet, so it is worth a wait."""

    __slots__ = ("_request", "_shared", "first")

    def __init__(self, shared: SharedBreaker, request: SyncRequest, first: bool) -> None:
        self._shared = shared
        self._request = request
        self.first: bool = first

    def ask(self) -> SyncAnswer:
        """Blocks; may run in any thread."""
        try:
            return self._shared.carry_out(self._request)
        except Exception as error:  # a store of the user's own: no request fails for it
            failure = BreakerStoreError(f"{type(error).__name__}: {error}")
            failure.__cause__ = error
            return SyncAnswer(error=failure)

    def settle(self, answer: SyncAnswer) -> None:
        """Take the answer in; the caller holds whatever guards the breaker."""
        self._shared.asked_until = float("-inf")
        self._shared.finish(self._request, answer, monotonic(), time())


def encode(record: BreakerRecord) -> str:
    """A record as JSON; its version is stored beside it."""
    fields = dataclasses.asdict(record)
    del fields["version"]
    return json.dumps(fields, allow_nan=False)


def decode(text: str | bytes, version: int) -> BreakerRecord | None:
    """The record in ``text``; None for anything that is not one, since a store may hold what others wrote.

    >>> decode('{"state": "open", "open_until": 7.5, "openings": 1, "changed": 2.5}', 3).open_until
    7.5
    >>> decode('{"state": "ajar"}', 3) is None
    True
    """
    if len(text) > MAX_RECORD_BYTES:
        return None
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or fields.get("state") not in STATES:
        return None
    until, changed, openings = _time(fields.get("open_until")), _time(fields.get("changed")), fields.get("openings")
    if until is None or changed is None or not isinstance(openings, int) or not 0 <= openings < MAX_OPENINGS:
        return None
    return BreakerRecord(fields["state"], until, openings, changed, version)


def _time(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MAX_TIME_S < value < MAX_TIME_S:
        return None
    return float(value)


def _next_version(record: BreakerRecord) -> BreakerRecord:
    # Milliseconds of the change, so that a record written anew after its predecessor expired has another version.
    return dataclasses.replace(record, version=max(record.version + 1, int(record.changed * 1000)))
