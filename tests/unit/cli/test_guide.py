"""The guide names every option and every exit code, and none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import click

from deuterium.cli import failures
from deuterium.cli.command import deuterium

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "guide" / "command-line.md").read_text()


def options() -> set[str]:
    found = {"--version"}
    for command in deuterium.commands.values():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                found |= {*parameter.opts, *parameter.secondary_opts}
    return found


def test_guide_names_every_option_and_no_other() -> None:
    named = {word for word in re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", GUIDE) if word not in ("-",)}
    assert named == options()


def test_guide_lists_every_exit_code_and_no_other() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", GUIDE, re.MULTILINE)}
    assert listed == {value for name, value in vars(failures).items() if name.isupper() and isinstance(value, int)}
