"""Downloads to a file: whole or not at all, taken up again by Range and If-Range, over both clients and versions."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import deuterium
import tasks
from deuterium import AsyncClient, Client, HTTPStatusError, InvalidURL, RequestError
from integration.faces import FACES, Face, face_of
from servers.content import octets
from servers.inprocess import answer, fields_of, serving

pytestmark = pytest.mark.every_loop

CONTENT = octets(3_000_000)
WHOLE = f"bytes=0-{len(CONTENT) - 1}"


class Files:
    """Serves CONTENT with ranges. A test sets how it misbehaves; ``asked`` is what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.reset()

    def reset(self) -> None:
        self.asked.clear()
        self.content = CONTENT
        self.validators: dict[str, str] = {"etag": '"one"'}
        self.break_at: list[int] = []  # octets of each response before it breaks off
        self.ranges = True
        self.shift = 0  # what a lying server adds to the range's start
        self.more: dict[str, str] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return None
        if scope["path"] == "/404":
            return await answer(send, b"not here", 404)
        if scope["path"] == "/302":
            return await answer(send, b"", 302, (("location", "/file.bin"),))
        fields = fields_of(scope)
        self.asked.append((fields.get("range", ""), fields.get("if-range", "")))
        start, status = 0, 200
        section = {**self.validators, **self.more}
        wanted = re.fullmatch(r"bytes=(\d+)-", fields.get("range", ""))
        current = self.validators.get("etag") or self.validators.get("last-modified")
        if wanted and self.ranges and fields.get("if-range", current) == current:
            start = int(wanted[1])
            if start >= len(self.content):
                return await answer(send, b"", 416, (("content-range", f"bytes */{len(self.content)}"),))
            start, status = start + self.shift, 206
            section["content-range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        section["content-length"] = str(len(self.content) - start)
        pairs = [(name.encode(), value.encode()) for name, value in section.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        end = self.break_at.pop(0) if self.break_at else len(self.content)
        for at in range(start, min(start + end, len(self.content)), 65536):
            piece = self.content[at : min(at + 65536, start + end)]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if start + end < len(self.content):
            raise ConnectionError("broken off on purpose")
        return await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Files, str]]:
    files = Files()
    with serving(files, keep_alive_s=0.2) as url:
        yield files, url


@pytest.fixture
def files(server: tuple[Files, str]) -> Files:
    server[0].reset()
    return server[0]


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest, server: tuple[Files, str], files: Files) -> Iterator[Face]:
    with face_of(request.param, base_url=server[1]) as face:
        yield face


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_download_arrives_whole_under_its_name_and_nothing_beside_it(face: Face, tmp_path: Path) -> None:
    target = tmp_path / "here.bin"
    target.write_bytes(b"old")
    told: list[tuple[int, int | None]] = []
    done = face.download("/file.bin", target, progress=lambda size, total: told.append((size, total)), fsync=True)
    assert target.read_bytes() == CONTENT
    assert (done.path, done.size, done.resumed_from) == (target, len(CONTENT), 0)
    assert done.response.http_version == face.version
    assert names(tmp_path) == ["here.bin"]
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [size for size, _ in told] == sorted(size for size, _ in told)
    umask = os.umask(0)
    os.umask(umask)
    assert target.stat().st_mode & 0o777 == 0o666 & ~umask


def test_download_into_a_folder_takes_the_name_of_the_url(face: Face, tmp_path: Path) -> None:
    assert face.download("/a/file%20one.bin?x=/y", tmp_path).path == tmp_path / "file one.bin"
    for path in ("/", "/a/..%2f..%2fetc", "/%00"):
        with pytest.raises(ValueError, match="names no file"):
            face.download(path, tmp_path)
    assert names(tmp_path) == ["file one.bin"]


@pytest.mark.parametrize("path", ["/404", "/302"])
def test_download_of_what_is_no_content_leaves_the_target_alone(face: Face, tmp_path: Path, path: str) -> None:
    target = tmp_path / "here.bin"
    target.write_bytes(b"old")
    with pytest.raises(HTTPStatusError):
        face.download(path, target)
    assert names(tmp_path) == ["here.bin"]
    assert target.read_bytes() == b"old"


def test_download_follows_redirects_when_asked(face: Face, tmp_path: Path) -> None:
    assert face.download("/302", tmp_path / "here.bin", follow_redirects=True).size == len(CONTENT)


def test_download_that_breaks_off_asks_for_the_rest(face: Face, files: Files, tmp_path: Path) -> None:
    files.break_at = [1_000_000, 500_000]
    done = face.download("/file.bin", tmp_path / "here.bin")
    assert done.path.read_bytes() == CONTENT
    ranges = [re.fullmatch(r"bytes=(\d+)-", asked) for asked, _ in files.asked[1:]]
    assert len(files.asked) == 3
    assert all(found and 0 < int(found[1]) < len(CONTENT) for found in ranges)
    assert [validator for _, validator in files.asked] == ["", '"one"', '"one"']
    assert names(tmp_path) == ["here.bin"]


@pytest.mark.parametrize("validators", [{}, {"etag": 'W/"weak"'}], ids=["none", "weak"])
def test_download_without_a_strong_validator_is_not_continued(
    face: Face, files: Files, tmp_path: Path, validators: dict[str, str]
) -> None:
    files.validators = validators
    files.break_at = [1_000_000]
    with pytest.raises(RequestError):
        face.download("/file.bin", tmp_path / "here.bin", resume=True)
    assert len(files.asked) == 1
    assert names(tmp_path) == []


def test_download_that_gets_nowhere_is_given_up(face: Face, files: Files, tmp_path: Path) -> None:
    files.break_at = [1_000_000, 0, 0, 0, 0]
    with pytest.raises(RequestError):
        face.download("/file.bin", tmp_path / "here.bin", attempts=2)
    assert names(tmp_path) == []
    assert len(files.asked) <= 4


def broken(face: Face, files: Files, target: Path) -> int:
    """A first call that leaves a part; its size."""
    files.break_at = [1_000_000]
    with pytest.raises(RequestError):
        face.download("/file.bin", target, resume=True, attempts=1)
    part = target.with_name(target.name + ".part")
    assert names(target.parent) == [part.name, part.name + ".json"]
    assert part.read_bytes() == CONTENT[: part.stat().st_size]
    files.asked.clear()
    return part.stat().st_size


def test_download_resumed_by_a_later_call_asks_for_what_is_missing(face: Face, files: Files, tmp_path: Path) -> None:
    size = broken(face, files, tmp_path / "here.bin")
    done = face.download("/file.bin", tmp_path / "here.bin", resume=True)
    assert files.asked == [(f"bytes={size}-", '"one"')]
    assert (done.resumed_from, done.size) == (size, len(CONTENT))
    assert done.path.read_bytes() == CONTENT
    assert names(tmp_path) == ["here.bin"]


def test_download_resumed_of_changed_content_starts_again(face: Face, files: Files, tmp_path: Path) -> None:
    broken(face, files, tmp_path / "here.bin")
    files.content = bytes(reversed(CONTENT))
    files.validators = {"etag": '"two"'}
    done = face.download("/file.bin", tmp_path / "here.bin", resume=True)
    assert (done.resumed_from, done.path.read_bytes() == files.content) == (0, True)
    assert len(files.asked) == 1


def test_download_resumed_from_a_server_without_ranges_starts_again(face: Face, files: Files, tmp_path: Path) -> None:
    broken(face, files, tmp_path / "here.bin")
    files.ranges = False
    assert face.download("/file.bin", tmp_path / "here.bin", resume=True).path.read_bytes() == CONTENT


def test_download_resumed_with_another_range_than_asked_for_starts_again(
    face: Face, files: Files, tmp_path: Path
) -> None:
    broken(face, files, tmp_path / "here.bin")
    files.shift = 1
    done = face.download("/file.bin", tmp_path / "here.bin", resume=True)
    assert done.path.read_bytes() == CONTENT
    assert [asked for asked, _ in files.asked][1:] == [""]


def test_download_resumed_for_another_url_starts_again(face: Face, files: Files, tmp_path: Path) -> None:
    broken(face, files, tmp_path / "here.bin")
    assert face.download("/file.bin?b=1", tmp_path / "here.bin", resume=True).resumed_from == 0
    assert files.asked == [("", "")]


def test_download_resumed_with_a_damaged_facts_file_starts_again(face: Face, files: Files, tmp_path: Path) -> None:
    broken(face, files, tmp_path / "here.bin")
    (tmp_path / "here.bin.part.json").write_text('{"key": 1')
    assert face.download("/file.bin", tmp_path / "here.bin", resume=True).path.read_bytes() == CONTENT
    assert files.asked == [("", "")]


def test_download_whose_part_was_whole_already_is_finished_by_416(face: Face, files: Files, tmp_path: Path) -> None:
    broken(face, files, tmp_path / "here.bin")
    (tmp_path / "here.bin.part").write_bytes(CONTENT)
    done = face.download("/file.bin", tmp_path / "here.bin", resume=True)
    assert (done.size, done.path.read_bytes() == CONTENT) == (len(CONTENT), True)


def test_download_whose_part_is_longer_than_the_content_starts_again(face: Face, files: Files, tmp_path: Path) -> None:
    broken(face, files, tmp_path / "here.bin")
    (tmp_path / "here.bin.part").write_bytes(CONTENT + b"x")
    done = face.download("/file.bin", tmp_path / "here.bin", resume=True)
    assert done.path.read_bytes() == CONTENT


@pytest.mark.parametrize(("date", "continued"), [("00:00:01", True), ("00:00:00", False)])
def test_download_is_continued_by_last_modified_only_when_it_is_strong(
    face: Face, files: Files, tmp_path: Path, date: str, continued: bool
) -> None:
    """RFC 9110 section 8.8.2.2: a second older than the response, or there could be two of one date."""
    files.validators = {"last-modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
    files.more = {"date": f"Thu, 01 Jan 2026 {date} GMT"}
    files.break_at = [1_000_000]
    if continued:
        assert face.download("/file.bin", tmp_path / "here.bin").path.read_bytes() == CONTENT
        assert files.asked[1][1] == "Thu, 01 Jan 2026 00:00:00 GMT"
    else:
        with pytest.raises(RequestError):
            face.download("/file.bin", tmp_path / "here.bin")


def test_download_through_a_link_replaces_what_it_points_to(face: Face, tmp_path: Path) -> None:
    (tmp_path / "real.bin").write_bytes(b"old")
    (tmp_path / "link.bin").symlink_to(tmp_path / "real.bin")
    face.download("/file.bin", tmp_path / "link.bin")
    assert (tmp_path / "real.bin").read_bytes() == CONTENT
    assert (tmp_path / "link.bin").is_symlink()


def test_download_onto_a_device_is_refused(face: Face, files: Files) -> None:
    with pytest.raises(FileExistsError):
        face.download("/file.bin", os.devnull)
    assert files.asked == []


def test_download_of_a_bad_url_touches_no_file(face: Face, tmp_path: Path) -> None:
    with pytest.raises(InvalidURL):
        face.download("http://a b/", tmp_path / "here.bin")
    assert names(tmp_path) == []


def test_download_writing_a_part_keeps_other_calls_out(server: tuple[Files, str], files: Files, tmp_path: Path) -> None:
    entered, leave = threading.Event(), threading.Event()

    def wait(size: int, total: int | None) -> None:
        entered.set()
        leave.wait(10)

    with Client(base_url=server[1]) as client:
        first = threading.Thread(
            target=client.download, args=("/file.bin", tmp_path / "here.bin"), kwargs={"resume": True, "progress": wait}
        )
        first.start()
        assert entered.wait(10)
        with pytest.raises(BlockingIOError):
            client.download("/file.bin", tmp_path / "here.bin", resume=True)
        leave.set()
        first.join(10)
    assert (tmp_path / "here.bin").read_bytes() == CONTENT


def test_download_function_takes_options_of_both(server: tuple[Files, str], files: Files, tmp_path: Path) -> None:
    done = deuterium.download(server[1] + "/file.bin", tmp_path / "here.bin", progress=True, timeout=10.0)
    assert done.size == len(CONTENT)


def test_download_cancelled_leaves_nothing(server: tuple[Files, str], files: Files, tmp_path: Path, arun: Any) -> None:
    async def cancel() -> None:
        async with AsyncClient(base_url=server[1]) as client:
            begun = tasks.Event()
            task = tasks.start(
                client.download("/file.bin", tmp_path / "here.bin", progress=lambda size, total: begun.set())
            )
            await begun.wait()
            task.cancel()
            with pytest.raises(tasks.CancelledError):
                await task

    arun(cancel())
    assert names(tmp_path) == []
