"""docs/api.md names everything that is public, and nothing that is not."""

from __future__ import annotations

import inspect
import re

import deuterium
import deuterium.testing
from deuterium import core, errors
from meta.tree import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text()
NAMED = re.findall(r"^::: deuterium\.([\w.]+)$", PAGE, re.MULTILINE)
OF_BOTH_CLIENTS = ("core.ClientCore.build_request", "core.ClientCore.headers")


def test_every_public_name_is_in_the_reference_once() -> None:
    testing = [f"testing.{name}" for name in deuterium.testing.__all__]
    assert sorted(NAMED) == sorted([*deuterium.__all__, *testing, *OF_BOTH_CLIENTS])


def test_every_option_of_a_client_is_in_the_table() -> None:
    table = PAGE[PAGE.index("| option |") : PAGE.index("Verbs take")]
    shown = {name for row in re.findall(r"^\| (`[^|]+)\|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert shown == set(inspect.signature(core.ClientCore.__init__).parameters) - {"self"}


def test_tree_of_errors_is_that_of_the_module() -> None:
    assert errors.__doc__ is not None
    tree = re.search(r"::\n\n((?:    .*\n)+)", errors.__doc__)
    assert tree is not None
    assert inspect.cleandoc(tree[1]) in PAGE
