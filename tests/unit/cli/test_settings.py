"""What the shared options mean for the request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deuterium.cli.failures import READ_FILE, USAGE, Failure
from deuterium.cli.settings import FORM, Settings


def settings(**given: Any) -> Settings:
    nothing: dict[str, Any] = dict.fromkeys(Settings.__dataclass_fields__)
    nothing |= {"url": "http://localhost/", "headers": (), "data": (), "insecure": False}
    return Settings(**nothing | {"timeout_s": 1.0, "max_time_s": 0.0} | given)


def test_verb_without_method_or_data_is_get_and_with_data_post() -> None:
    assert settings().verb() == "GET"
    assert settings(data=("a",)).verb() == "POST"
    assert settings(data=("a",), method="PUT").verb() == "PUT"


def test_fields_are_split_at_the_first_colon() -> None:
    assert settings(headers=("X-Time: 12:30 ", "x-empty:")).fields() == [("X-Time", "12:30"), ("x-empty", "")]


@pytest.mark.parametrize("line", ["no colon", ": no name"])
def test_fields_that_are_no_field_line_are_a_usage_error(line: str) -> None:
    with pytest.raises(Failure) as failed:
        settings(headers=(line,)).fields()
    assert failed.value.exit_code == USAGE


def test_fields_with_data_name_its_type_unless_it_was_given() -> None:
    assert settings(data=("a=1",)).fields() == [("content-type", FORM)]
    assert settings(data=("{}",), headers=("Content-Type: application/json",)).fields() == [
        ("Content-Type", "application/json")
    ]


def test_content_of_several_data_is_joined_and_files_are_read_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_bytes(b"b=\n\0")
    assert settings(data=("a=1", f"@{file}")).content() == b"a=1&b=\n\0"


def test_upload_of_one_file_is_read_in_pieces_and_its_length_known(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_bytes(b"x" * 100_000)
    content, length = settings(data=(f"@{file}",)).upload()
    assert length == 100_000
    assert [len(piece) for piece in content] == [65_536, 34_464]


def test_upload_of_a_missing_file_fails_before_anything_is_sent() -> None:
    with pytest.raises(Failure, match="cannot read nowhere") as failed:
        settings(data=("@nowhere",)).upload()
    assert failed.value.exit_code == READ_FILE


def test_context_of_a_key_without_certificate_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(Failure) as failed:
        settings(url="https://localhost/", key="key.pem").context()
    assert failed.value.exit_code == USAGE


def test_context_of_a_ca_file_without_certificates_says_which_file(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing")
    with pytest.raises(Failure, match=r"ca\.pem") as failed:
        settings(url="https://localhost/", cacert=str(file)).context()
    assert failed.value.exit_code == 35
