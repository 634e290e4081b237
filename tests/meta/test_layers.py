"""Imports point one way, as docs/ARCHITECTURE.md draws it."""

from __future__ import annotations

import ast

import pytest

from meta.tree import PACKAGE, Module, imports, modules

LEAVES = ("errors", "config", "_http2.constants")
LAYERS = (
    (*LEAVES,),
    ("_memory",),
    ("_http",),
    ("_hpack",),
    ("_http2", "_http1"),
    ("_net",),
    ("_pool",),
    ("",),  # the clients: every module that lies directly in the package
    ("cli", "testing", "__main__"),
)
NEVER = {("_http2", "_http1"), ("_http1", "_http2")}

# The engine opens no socket, reads no clock, runs no loop and writes no log (docs/ARCHITECTURE.md).
SANS_IO = ("_memory", "_http", "_hpack", "_http2", "_http1")
IO_MODULES = {"asyncio", "logging", "select", "selectors", "socket", "ssl", "time", "uvloop"}


def inside(name: str) -> str:
    """A module's name without the package's."""
    return name.removeprefix(PACKAGE).removeprefix(".")


def rank(name: str) -> int:
    """The number of the layer a module lies in; 0 is the lowest."""
    path = inside(name)
    if path in LEAVES:
        return 0
    first = path.split(".")[0]
    for number, layer in enumerate(LAYERS):
        if number and first in layer:
            return number
    return next(number for number, layer in enumerate(LAYERS) if "" in layer)


@pytest.mark.parametrize("module", modules().values(), ids=lambda module: inside(module.name) or PACKAGE)
def test_module_imports_only_its_own_layer_and_those_below(module: Module) -> None:
    upward = {name for name in imports(module) if rank(name) > rank(module.name)}
    assert not upward


@pytest.mark.parametrize("name", [name for name in modules() if inside(name) in LEAVES])
def test_leaf_module_imports_nothing_of_ours(name: str) -> None:
    assert imports(modules()[name]) == set()


def test_protocol_versions_never_import_each_other() -> None:
    crossings = [
        (module.name, target)
        for module in modules().values()
        for target in imports(module)
        if (inside(module.name).split(".")[0], inside(target).split(".")[0]) in NEVER
    ]
    assert crossings == []


def test_every_package_has_a_place_in_the_layers() -> None:
    known = {name.split(".")[0] for layer in LAYERS for name in layer}
    packages = {inside(module.name) for module in modules().values() if module.is_package}
    assert {name for name in packages if "." not in name} - known == set()


@pytest.mark.parametrize(
    "module",
    [module for module in modules().values() if inside(module.name).split(".")[0] in SANS_IO],
    ids=lambda module: inside(module.name),
)
def test_engine_module_touches_no_socket_clock_loop_or_log(module: Module) -> None:
    imported = set()
    for node in ast.walk(ast.parse(module.file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.add((node.module or "").split(".")[0])
    assert imported & IO_MODULES == set()
