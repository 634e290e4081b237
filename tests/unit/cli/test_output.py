"""Files of ``-o`` appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deuterium.cli.failures import WRITE_FILE, Failure
from deuterium.cli.output import FileOutput


def test_file_output_completed_replaces_the_file_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "content"
    file.write_bytes(b"old")
    with FileOutput(str(file)) as output:
        output.write(b"new")
        assert file.read_bytes() == b"old"
    assert file.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["content"]


def test_file_output_abandoned_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "content"
    file.write_bytes(b"old")
    with pytest.raises(RuntimeError), FileOutput(str(file)) as output:
        output.write(b"ne")
        raise RuntimeError
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["content"]


def test_file_output_through_a_symbolic_link_writes_what_it_points_to(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("target")
    with FileOutput(str(link)) as output:
        output.write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_file_output_to_a_device_writes_it_as_it_stands() -> None:
    with FileOutput(os.devnull) as output:
        output.write(b"gone")
    assert not os.path.isfile(os.devnull)


def test_file_output_in_a_folder_that_is_missing_fails_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot write") as failed:
        FileOutput(str(tmp_path / "missing" / "content"))
    assert failed.value.exit_code == WRITE_FILE


def test_file_output_gets_the_permissions_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with FileOutput(str(tmp_path / "content")) as output:
            output.write(b"")
    finally:
        os.umask(before)
    assert (tmp_path / "content").stat().st_mode & 0o777 == 0o640
