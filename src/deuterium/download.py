"""A download to a file: beside its target until it is whole, taken up again where it broke off. Files, no network."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import IO, Any, Final
from urllib.parse import unquote, urlsplit

from .errors import HTTPStatusError, PoolTimeout, RemoteProtocolError, RequestError, TotalTimeout, TransportError
from .request import checked_fields
from .response import Response

try:
    import fcntl
except ImportError:  # Windows: two calls that take up the same part are not told apart there
    fcntl = None  # type: ignore[assignment]

# Octets collected between two writes: a write costs a hop to another thread under asyncio.
WRITE_OCTETS: Final = 1024 * 1024
FLAGS: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
MAX_FACTS: Final = 64 * 1024  # of the file of facts beside a part; two fields and a URL

ProgressTypes = Callable[[int, int | None], Any] | bool | None

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)").fullmatch
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,18})").fullmatch


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A finished download. ``resumed_from``: octets an earlier call had brought already."""

    path: Path
    size: int
    resumed_from: int
    response: Response


class Download:
    """One download. The client asks for ``fields`` and hands in responses and pieces; errors go to ``next_delay``.

    Verbs that touch the file (``open``, ``begin``, ``flush``, ``finish``, ``close``) may be run in another thread.
    """

    def __init__(
        self,
        url: str,
        path: str | os.PathLike[str],
        *,
        resume: bool = False,
        fsync: bool = False,
        progress: ProgressTypes = None,
        attempts: int = 3,
        key: str = "",
    ) -> None:
        """``key``: what tells this download from others into the same file; ``attempts``: how often it may break off
        in a row without bringing an octet more.
        """
        if attempts < 1:
            raise ValueError("attempts must be at least 1")
        self.url = url
        self.key: str = key or url
        self.path: str = _target(os.fsdecode(path), url)
        self.resume = resume
        self.fsync = fsync
        self.attempts = attempts
        self.part = f"{self.path}.part"
        self._facts = f"{self.path}.part.json"  # what a later call must know of the part
        self._file: IO[bytes] | None = None
        self._lock = Lock()  # a cancelled task closes the file while its last write is under way
        self._pieces: list[bytes] = []
        self._collected = 0
        self.size = 0  # octets in the file
        self._asked_from = 0
        self.resumed_from = 0
        self.total: int | None = None
        self._validator = ""  # for If-Range; empty: what there is cannot be continued
        self._failures = 0
        self._bar: AbstractContextManager[Any] | None = None
        self._progress: Callable[[int, int | None], Any] | None = None
        if progress is True:
            self._bar = bar = ProgressBar(os.path.basename(self.path))
            self._progress = bar
        elif progress:
            self._progress = progress

    # -- the client's verbs ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the file of the part; with ``resume``, see how far it is.

        Raises BlockingIOError when another call is writing it.
        """
        if self.resume:
            self._file = os.fdopen(_open_alone(self.part), "r+b", buffering=0)
            self.size = self._known()
            self.resumed_from = self.size
        else:
            # Not mkstemp: its files are for their owner only, whatever the umask says.
            self.part = f"{self.path}.{os.urandom(6).hex()}.part"
            self._file = os.fdopen(os.open(self.part, FLAGS | os.O_EXCL, 0o666), "r+b", buffering=0)
        if self._bar is not None:
            self._bar.__enter__()

    def fields(self, headers: Any) -> list[tuple[str, str]]:
        """The request's fields: the caller's, and the range that is missing (RFC 9110 sections 13.1.5 and 14.2)."""
        own = list(checked_fields(headers or ()))
        if not any(name == "accept-encoding" for name, _ in own):
            own.append(("accept-encoding", "identity"))  # a range of coded content cannot be put together with another
        self._asked_from = self.size if self._validator else 0
        if self._asked_from:
            own += [("range", f"bytes={self._asked_from}-"), ("if-range", self._validator)]
        return own

    def begin(self, response: Response) -> bool:
        """Look at the response's header section; True: its content belongs into the file.

        Raises HTTPStatusError for what is not content, RemoteProtocolError for a range nobody asked for.
        """
        status = response.status_code
        asked = self._asked_from
        if status == 206 and asked:
            if self._continues(response):
                return True
            self._restart()
            raise _Again()
        if status == 416 and asked:
            whole = _UNSATISFIED(response.headers.get("content-range", ""))
            if whole is not None and int(whole[1]) == asked:
                self.total = asked
                return False  # the validator still holds and there is no more: the part was whole
            self._restart()
            raise _Again()
        if status == 206:
            raise RemoteProtocolError("RFC 9110 15.3.7: a range that was not asked for", request_processed=True)
        if not 200 <= status < 300:
            raise HTTPStatusError(
                f"no content to download: {status} {response.reason_phrase} for {response.url}",
                request=response.request,
                response=response,
            )
        self._restart()
        coded = "content-encoding" in response.headers
        length = response.headers.get("content-length")
        self.total = int(length) if length is not None and not coded else None
        self._validator = "" if coded else _validator(response)
        if self.resume:
            self._write_facts()
        return True

    def take(self, piece: bytes) -> bool:
        """Collect a piece; True: it is time to ``flush``."""
        self._pieces.append(piece)
        self._collected += len(piece)
        return self._collected >= WRITE_OCTETS

    def flush(self) -> None:
        """Write what was collected."""
        with self._lock:
            file = self._file
            if file is None:
                return
            pieces, self._pieces = self._pieces, []
            self._collected = 0
            if pieces:
                self._failures = 0
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    written = file.write(view)
                    view = view[written:]
                    self.size += written or 0

    def report(self) -> None:
        """Tell the caller how far it is."""
        if self._progress is not None:
            self._progress(self.size, self.total)

    def finish(self, response: Response) -> Downloaded:
        """The content is over: check its length, and give the file its name."""
        if self.total is not None and self.size != self.total:
            raise RemoteProtocolError(
                f"RFC 9110 8.6: {self.size} octets came of {self.total}", request_processed=True
            )
        with self._lock:
            assert self._file is not None
            if self.fsync:
                os.fsync(self._file.fileno())
            if os.name == "nt":
                self._file.close()  # an open file cannot be renamed there
            os.replace(self.part, self.path)
            if self.fsync:
                _sync_folder(os.path.dirname(self.path))
            self._file.close()
            self._file = None
        with suppress(OSError):
            os.unlink(self._facts)
        return Downloaded(Path(self.path), self.size, self.resumed_from, response)

    def next_delay(self, error: RequestError) -> float:
        """Seconds to wait before the rest is asked for. Raises ``error`` when it is not, or cannot be."""
        if isinstance(error, _Again):
            return 0.0
        self.flush()
        self._failures += 1
        final = not isinstance(error, TransportError) or isinstance(error, TotalTimeout | PoolTimeout)
        final = final or error.initiator == "user"
        if self.total is not None and self.size > self.total:
            self._validator = ""  # nothing to build on
        if final or self._failures >= self.attempts or not (self.size and self._validator):
            raise error
        return float(min(10.0, 0.1 * 2.0 ** (self._failures - 1)))

    def close(self) -> None:
        """The end, whichever: what is not whole is removed, or kept to be taken up again."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                file.close()
                if not (self.resume and self.size and self._validator):
                    for path in (self.part, self._facts) if self.resume else (self.part,):
                        with suppress(OSError):
                            os.unlink(path)
        if self._bar is not None:
            self._bar.__exit__(None, None, None)

    # -- ranges ------------------------------------------------------------------------------------------------------

    def _continues(self, response: Response) -> bool:
        """Whether the range is the one that was asked for, of what there was before; otherwise all is asked for."""
        given = _RANGE(response.headers.get("content-range", ""))
        if given is None or int(given[1]) != self._asked_from or "content-encoding" in response.headers:
            return False
        total = None if given[3] == "*" else int(given[3])
        changed = self.total is not None and total is not None and total != self.total
        etag = response.headers.get("etag")
        if changed or (etag is not None and self._validator.startswith('"') and etag != self._validator):
            return False
        if total is not None:
            self.total = total
        return True

    def _restart(self) -> None:
        """What is in the file is of no use."""
        with self._lock:
            if self._file is not None:
                self._file.seek(0)
                self._file.truncate()
        self.size = self.resumed_from = 0
        self._asked_from = 0
        self.total = None
        self._validator = ""

    # -- what a later call must know ---------------------------------------------------------------------------------

    def _known(self) -> int:
        """How much of the part an earlier call left can be continued; the file stands behind it."""
        assert self._file is not None
        size = self._file.seek(0, os.SEEK_END)
        try:
            with open(self._facts, encoding="utf-8") as file:
                facts = json.loads(file.read(MAX_FACTS))
            if size and facts["key"] == self.key and isinstance(facts["validator"], str) and facts["validator"]:
                self._validator = facts["validator"]
                self.total = None if facts["total"] is None else int(facts["total"])
                return size
        except (OSError, ValueError, KeyError, TypeError):
            pass  # nothing an earlier call of ours has written
        self._file.seek(0)
        self._file.truncate()
        return 0

    def _write_facts(self) -> None:
        if self._validator:
            with open(self._facts, "w", encoding="utf-8") as file:
                json.dump({"key": self.key, "validator": self._validator, "total": self.total}, file)
        else:
            with suppress(OSError):
                os.unlink(self._facts)


class _Again(RequestError):
    """The server's range does not go with what there is: ask for all of it."""


class ProgressBar(AbstractContextManager["ProgressBar"]):
    """A bar on the terminal, by rich (extra ``[cli]``)."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=Console(stderr=True),
            transient=False,
        )
        self._task = self._bar.add_task(name, total=None)

    def __call__(self, done: int, total: int | None) -> None:
        self._bar.update(self._task, completed=done, total=total)

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


def _validator(response: Response) -> str:
    """What If-Range may hold: a strong ETag, else a Last-Modified that is strong (RFC 9110 section 8.8.2.2)."""
    etag = response.headers.get("etag") or ""
    if etag.startswith('"'):
        return etag
    modified, date = response.headers.get("last-modified"), response.headers.get("date")
    if etag or modified is None or date is None:
        return ""
    try:
        age = parsedate_to_datetime(date) - parsedate_to_datetime(modified)
    except (TypeError, ValueError):
        return ""
    return modified if age.total_seconds() >= 1 else ""


def _target(path: str, url: str) -> str:
    """Where the file goes; in a folder, under the last segment of the URL's path."""
    path = os.path.realpath(path)
    if not os.path.isdir(path):
        if os.path.exists(path) and not os.path.isfile(path):
            raise FileExistsError(f"{path} is neither a file nor a folder, and would be replaced by one")
        return path
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    if name in ("", ".", "..") or any(mark in name for mark in ("/", "\\", "\0", ":")):
        raise ValueError(f"{path} is a folder, and {url} names no file")
    return os.path.join(path, name)


def _open_alone(path: str) -> int:
    """Open the part and keep other calls and processes out, where the system can. BlockingIOError: it is taken."""
    while True:
        descriptor = os.open(path, FLAGS, 0o666)
        try:
            if fcntl is None:
                return descriptor
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    return descriptor
        except OSError as error:
            os.close(descriptor)
            raise BlockingIOError(f"{path} is being written by another download") from error
        os.close(descriptor)  # whoever held it finished meanwhile: this is the whole file under its own name now


def _sync_folder(folder: str) -> None:
    """Make the new name last (POSIX; other systems do not open folders)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
