"""What the tree may hold: no file that swallows the rest, no trace of one machine."""

from __future__ import annotations

import re

from meta.tree import ROOT, repository_files

MAX_LINES = 500
# A file past the limit, and why it is not two.
LONG_FILES: dict[str, str] = {}

CODE = {".py", ".pxd", ".sh", ".go", ".rs", ".c", ".h"}
TEXT = CODE | {"", ".md", ".toml", ".cfg", ".json", ".yml", ".yaml", ".txt", ".html"}
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:root|work|home/\w+|Users/\w+)/[\w.]")


def test_no_file_is_past_the_line_limit_without_a_reason() -> None:
    long = {
        file.relative_to(ROOT).as_posix(): lines
        for file in repository_files()
        if file.suffix in CODE and (lines := file.read_text().count("\n")) > MAX_LINES
    }
    assert long.keys() == LONG_FILES.keys(), long


def test_no_file_names_a_path_of_one_machine() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in repository_files()
        if file.suffix in TEXT
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []
