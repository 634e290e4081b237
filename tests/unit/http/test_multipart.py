"""multipart/form-data: read back by a parser of somebody else, lengths known, names harmless."""

from __future__ import annotations

import io
import os
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http.multipart import File, MultipartForm, boundary_of
from deuterium._http.open_file import BLOCK
from deuterium.errors import LocalProtocolError, StreamConsumed

NAMES = st.text("abc é\"\r\n;=\\%'", min_size=1, max_size=8)


def parsed(form: MultipartForm) -> list[EmailMessage]:
    """The parts, as the standard library's parser sees them."""
    head = f"content-type: {form.content_type}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + b"".join(form))
    assert message.is_multipart()
    assert not message.defects
    return [cast(EmailMessage, part) for part in message.iter_parts()]


def body(part: EmailMessage) -> bytes:
    return cast(bytes, part.get_payload(decode=True))


@given(st.lists(st.tuples(st.text("abcxyz", min_size=1), st.binary()), min_size=1, max_size=5))
def test_contents_are_read_back_by_the_standard_library(files: list[tuple[str, bytes]]) -> None:
    form = MultipartForm(files=[(name, (f"{name}.bin", content)) for name, content in files])
    parts = parsed(form)
    assert [part.get_param("name", header="content-disposition") for part in parts] == [name for name, _ in files]
    assert [part.get_filename() for part in parts] == [f"{name}.bin" for name, _ in files]
    assert [body(part) for part in parts] == [content for _, content in files]
    assert form.content_length == len(b"".join(form))


@given(NAMES, NAMES, st.text(st.characters(exclude_categories=["Cs"])))
def test_no_name_breaks_out_of_its_quotes(name: str, filename: str, value: str) -> None:
    form = MultipartForm({name: value}, {name: (filename, b"content")})
    content = b"".join(form)
    dashes = b"--" + form.boundary.encode()
    _, first, second, end = content.split(dashes)
    assert end == b"--\r\n"
    for part, expected in ((first, value.encode()), (second, b"content")):
        head, rest = part.removeprefix(b"\r\n").split(b"\r\n\r\n", 1)
        assert rest == expected + b"\r\n"
        line = head.split(b"\r\n")[0].decode()
        assert line.count('"') == (2 if part is first else 4)
        assert "\r" not in line
        assert "\n" not in line
        assert line.split('"')[1].replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n") in (
            name,
            name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n"),
        )


def test_form_is_laid_out_as_rfc_7578_shows() -> None:
    files: dict[str, File] = {
        "sheet": ("mass.csv", b"2,20", None, {"X-Id": "7"}),
        "raw": (None, "text"),
        "note": (None, b"{}", "text/x"),
    }
    form = MultipartForm({"title": "D2O", "n": [1, True]}, files, boundary="AaB03x")
    assert b"".join(form) == (
        b'--AaB03x\r\nContent-Disposition: form-data; name="title"\r\n\r\nD2O\r\n'
        b'--AaB03x\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n'
        b'--AaB03x\r\nContent-Disposition: form-data; name="n"\r\n\r\ntrue\r\n'
        b'--AaB03x\r\nContent-Disposition: form-data; name="sheet"; filename="mass.csv"\r\n'
        b"X-Id: 7\r\nContent-Type: text/csv\r\n\r\n2,20\r\n"
        b'--AaB03x\r\nContent-Disposition: form-data; name="raw"\r\n\r\ntext\r\n'
        b'--AaB03x\r\nContent-Disposition: form-data; name="note"\r\nContent-Type: text/x\r\n\r\n{}\r\n'
        b"--AaB03x--\r\n"
    )
    assert form.content_type == "multipart/form-data; boundary=AaB03x"


@pytest.mark.parametrize(
    ("file", "filename", "content_type"),
    [
        (b"x", "upload", "application/octet-stream"),
        (("a.html", b"x"), "a.html", "text/html"),
        (("a.html", b"x", "text/x"), "a.html", "text/x"),
        (("a.html", b"x", None, {"content-type": "text/y"}), "a.html", "text/y"),
        (("a.html", b"x", "text/x", {"content-type": "text/y"}), "a.html", "text/x"),
        (("a", b"x"), "a", "application/octet-stream"),
        (("", b"x"), "", "application/octet-stream"),
    ],
)
def test_content_type_is_given_or_guessed_by_the_filename(file: Any, filename: str, content_type: str) -> None:
    (part,) = parsed(MultipartForm(files={"f": file}))
    assert part.get_filename() == filename
    assert part.get_all("content-type") == [content_type]


def test_file_is_sent_from_where_it_stands_and_again(tmp_path: Path) -> None:
    path = tmp_path / "water.bin"
    path.write_bytes(os.urandom(3 * BLOCK))
    with path.open("rb") as file:
        file.read(10)
        form = MultipartForm(files={"f": file})
        assert form.content_length is not None
        assert form.replayable
        for _ in range(2):
            pieces = list(form)
            assert len(b"".join(pieces)) == form.content_length
            assert max(map(len, pieces)) == BLOCK
            (part,) = parsed(form)
            assert part.get_filename() == "water.bin"
            assert body(part) == path.read_bytes()[10:]


class Pipe(io.RawIOBase):
    """A file without a length and without a second chance."""

    def __init__(self, content: bytes) -> None:
        self.source = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self.source.read(min(size, 7))


def test_file_without_length_is_sent_once() -> None:
    form = MultipartForm(files={"f": ("a", cast(Any, Pipe(b"heavy water" * 10)))})
    assert form.content_length is None
    assert not form.replayable
    (part,) = parsed(form)
    assert body(part) == b"heavy water" * 10
    with pytest.raises(StreamConsumed):
        iter(form)


def test_file_that_grew_is_cut_and_one_that_shrank_is_an_error() -> None:
    file = io.BytesIO(b"0123456789")
    form = MultipartForm(files={"f": file})
    file.seek(0, io.SEEK_END)
    file.write(b"more")
    assert len(b"".join(form)) == form.content_length
    file.truncate(9)
    with pytest.raises(LocalProtocolError, match="1 octets shorter"):
        b"".join(form)


@pytest.mark.parametrize("file", [io.StringIO("text"), ("a", io.StringIO("text")), 7, ("a",), ("a", b"", "b", {}, 1)])
def test_file_of_another_kind_is_a_type_error(file: Any) -> None:
    with pytest.raises(TypeError):
        MultipartForm(files={"f": file})


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [("text/x\r\nX: y", {}), (None, {"X\r\n": "y"}), (None, {"X": "y\r\nZ: 1"}), (None, {"X": "\0"}), ("\u0100", {})],
)
def test_illegal_part_header_is_refused(content_type: str | None, headers: dict[str, str]) -> None:
    with pytest.raises(LocalProtocolError):
        MultipartForm(files={"f": ("a", b"", content_type, headers)})


@pytest.mark.rfc("2046", "5.1.1")
@pytest.mark.parametrize(
    ("boundary", "legal"),
    [
        *[("x", True), ("x" * 70, True), ("x" * 71, False), ("", False), ("a b", True), ("a ", False)],
        *[("a\r\nb", False), ('a"b', False), ("é", False), ("a;b", False), ("a:b", True)],
    ],
)
def test_boundary_follows_its_grammar(boundary: str, legal: bool) -> None:
    if legal:
        form = MultipartForm({"a": "b"}, boundary=boundary)
        assert boundary_of(form.content_type) == boundary
        assert [body(part) for part in parsed(form)] == [b"b"]
    else:
        with pytest.raises(LocalProtocolError, match="boundary"):
            MultipartForm(boundary=boundary)


def test_random_boundaries_differ() -> None:
    assert MultipartForm().boundary != MultipartForm().boundary


@pytest.mark.parametrize("content_type", [None, "multipart/form-data", "text/plain; boundary=x"])
def test_boundary_is_not_taken_from_elsewhere(content_type: str | None) -> None:
    assert boundary_of(content_type) is None


def test_form_without_parts_is_its_end() -> None:
    assert b"".join(MultipartForm(boundary="x")) == b"--x--\r\n"
