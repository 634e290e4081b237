"""A client in a process of its own, so that its memory can be measured: ``python client_process.py FACE``.

It reads one command a line from standard input (JSON), carries it out, and answers with what came of it: the outcome,
the time it took, and the peak of its resident memory meanwhile (Linux: VmHWM, set back through clear_refs).
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import tasks
from deuterium import AsyncClient, Client, HTTPError, Limits, RetryPolicy, Timeout

STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")
RESET_PEAK = "5"

ONCE = RetryPolicy(attempts=1, replays=0)
PATIENCE = Timeout(10.0, total=20.0)
STALL_S = 0.6
REST_S = 0.2


def memory_kib(name: str) -> int:
    """VmRSS or VmHWM; 0 where there is none."""
    if not STATUS.exists():
        return 0
    for line in STATUS.read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    return 0


def reset_peak() -> None:
    """Forget the peak so far."""
    with suppress(OSError):
        CLEAR_REFS.write_text(RESET_PEAK)


def options_of(command: dict[str, Any]) -> dict[str, Any]:
    """The client's options, from what JSON can say."""
    options = dict(command["options"])
    timeout = options.pop("timeout", None)
    retry = options.pop("retry", None)
    limits = options.pop("limits", None)
    for name in ("count", "stall_s", "method", "post"):
        options.pop(name, None)
    return {
        "verify": command["verify"],
        "trust_env": False,
        "timeout": Timeout(10.0, **timeout) if timeout else PATIENCE,
        "retry": RetryPolicy(**retry) if retry is not None else ONCE,
        "limits": Limits(**limits) if limits else None,
        **options,
    }


def report(response: Any, content: bytes | None = None) -> dict[str, Any]:
    """A response as JSON can say it."""
    body = response.content if content is None else content
    return {"status": response.status_code, "length": len(body), "digest": hashlib.sha256(body).hexdigest()}


def failure(error: Exception) -> dict[str, Any]:
    """An exception of ours, with its facts; any other ends the process."""
    return {
        "error": type(error).__name__,
        "ours": isinstance(error, HTTPError),
        "message": str(error)[:400],
        "code": getattr(error, "code", None),
        "processed": getattr(error, "request_processed", None),
    }


class Tally:
    """Counts and hashes pieces without keeping them."""

    def __init__(self) -> None:
        self.octets = 0
        self.hash = hashlib.sha256()

    def take(self, piece: bytes) -> None:
        self.octets += len(piece)
        self.hash.update(piece)

    def report(self, response: Any) -> dict[str, Any]:
        return {"status": response.status_code, "length": self.octets, "digest": self.hash.hexdigest()}


class AsyncActs:
    """What an AsyncClient is asked to do."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def get(self, client: AsyncClient, command: dict[str, Any]) -> dict[str, Any]:
        """The whole response."""
        return report(await client.get(self.url))

    async def rest(self, client: AsyncClient, command: dict[str, Any]) -> dict[str, Any]:
        """The whole response, then time for the peer to say more."""
        response = await client.get(self.url)
        await tasks.sleep(REST_S)
        return report(response)

    async def head(self, client: AsyncClient, command: dict[str, Any]) -> dict[str, Any]:
        """A HEAD request."""
        return report(await client.head(self.url))

    async def stream(self, client: AsyncClient, command: dict[str, Any]) -> dict[str, Any]:
        """Piece by piece, as it comes."""
        tally = Tally()
        async with client.stream("GET", self.url) as response:
            async for piece in response.aiter_bytes():
                tally.take(piece)
        return tally.report(response)

    async def stall(self, client: AsyncClient, command: dict[str, Any]) -> dict[str, Any]:
        """Piece by piece, after the peer had time to send all it may."""
        tally = Tally()
        async with client.stream("GET", self.url) as response:
            await tasks.sleep(command["options"].get("stall_s", STALL_S))
            async for piece in response.aiter_raw():
                tally.take(piece)
        return tally.report(response)

    async def abandon(self, client: AsyncClient, command: dict[str, Any]) -> dict[str, Any]:
        """The first piece, and no more."""
        async with client.stream("GET", self.url) as response:
            async for piece in response.aiter_raw():
                return report(response, piece)
        return report(response, b"")

    async def follow(self, client: AsyncClient, command: dict[str, Any]) -> dict[str, Any]:
        """Whatever method, and where it leads."""
        method, post = command["options"].get("method", "GET"), command["options"].get("post")
        return report(await client.request(method, self.url, json=post))

    async def post(self, client: AsyncClient, command: dict[str, Any]) -> dict[str, Any]:
        """A megabyte of content."""
        return report(await client.post(self.url, content=bytes(1024 * 1024)))

    async def many(self, client: AsyncClient, command: dict[str, Any]) -> dict[str, Any]:
        """Several at once; the first failure."""
        count = command["options"]["count"]
        results = await tasks.gather(*(client.get(self.url) for _ in range(count)), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return report(results[0])

    async def run(self, command: dict[str, Any]) -> dict[str, Any]:
        """One act, then a plain request on the same client."""
        async with AsyncClient(**options_of(command)) as client:
            begin = time.monotonic()
            try:
                answer = await getattr(self, command["act"])(client, command)
            except HTTPError as error:
                answer = failure(error)
            answer["seconds"] = time.monotonic() - begin
            if command["after"]:
                after = await client.get(command["url"] + "/after", timeout=PATIENCE)
                answer["after"] = [after.status_code, after.content.decode()]
        return answer


class SyncActs:
    """What a Client is asked to do."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, client: Client, command: dict[str, Any]) -> dict[str, Any]:
        return report(client.get(self.url))

    def rest(self, client: Client, command: dict[str, Any]) -> dict[str, Any]:
        response = client.get(self.url)
        time.sleep(REST_S)
        return report(response)

    def head(self, client: Client, command: dict[str, Any]) -> dict[str, Any]:
        return report(client.head(self.url))

    def stream(self, client: Client, command: dict[str, Any]) -> dict[str, Any]:
        tally = Tally()
        with client.stream("GET", self.url) as response:
            for piece in response.iter_bytes():
                tally.take(piece)
        return tally.report(response)

    def stall(self, client: Client, command: dict[str, Any]) -> dict[str, Any]:
        tally = Tally()
        with client.stream("GET", self.url) as response:
            time.sleep(command["options"].get("stall_s", STALL_S))
            for piece in response.iter_raw():
                tally.take(piece)
        return tally.report(response)

    def abandon(self, client: Client, command: dict[str, Any]) -> dict[str, Any]:
        with client.stream("GET", self.url) as response:
            for piece in response.iter_raw():
                return report(response, piece)
        return report(response, b"")

    def follow(self, client: Client, command: dict[str, Any]) -> dict[str, Any]:
        method, post = command["options"].get("method", "GET"), command["options"].get("post")
        return report(client.request(method, self.url, json=post))

    def post(self, client: Client, command: dict[str, Any]) -> dict[str, Any]:
        return report(client.post(self.url, content=bytes(1024 * 1024)))

    def many(self, client: Client, command: dict[str, Any]) -> dict[str, Any]:
        count = command["options"]["count"]
        results = list(client.fetch_many([self.url] * count, concurrency=count, return_exceptions=True))
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return report(results[0])

    def run(self, command: dict[str, Any]) -> dict[str, Any]:
        with Client(**options_of(command)) as client:
            begin = time.monotonic()
            try:
                answer: dict[str, Any] = getattr(self, command["act"])(client, command)
            except HTTPError as error:
                answer = failure(error)
            answer["seconds"] = time.monotonic() - begin
            if command["after"]:
                after = client.get(command["url"] + "/after", timeout=PATIENCE)
                answer["after"] = [after.status_code, after.content.decode()]
        return answer


def runner_of(face: str) -> Any:
    """``run(command)`` for one face: threads, asyncio, uvloop or trio."""
    if face == "threads":
        return lambda command: SyncActs(command["url"] + "/").run(command)
    if face == "trio":
        return lambda command: tasks.run_trio(AsyncActs(command["url"] + "/").run(command))
    if face == "uvloop":
        import uvloop

        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
    return lambda command: loop.run_until_complete(AsyncActs(command["url"] + "/").run(command))


def main(face: str) -> None:
    """Carry out one command a line until the input ends."""
    run = runner_of(face)
    gc.freeze()  # what was imported need not be looked through each time
    for line in sys.stdin:
        command = json.loads(line)
        gc.collect()
        reset_peak()
        before = memory_kib("VmRSS")
        try:
            answer = run(command)
        except Exception as error:  # not ours: the test says so
            answer = failure(error)
        answer |= {"before_kib": before, "peak_kib": memory_kib("VmHWM")}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
