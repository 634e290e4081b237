"""Imports point one way, as docs/ARCHITECTURE.md draws it."""

from __future__ import annotations

import ast
import subprocess
import sys

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
IO_MODULES = {"asyncio", "logging", "select", "selectors", "sniffio", "socket", "ssl", "time", "trio", "uvloop"}

# Who knows which event loop there is. Everything else asks the loop it was given, so that trio's is as good as any.
TRIO = ("_net.trio_future", "_net.trio_loop", "_net.trio_sockets", "_net.trio_transport")
ASYNCIO = (
    "_net.dialer",  # aiohappyeyeballs
    "_net.driver",  # the class of its sockets
    "_net.loops",
    "_net.task_waiter",  # the exception it raises for a Task
    "_net.trio_future",  # the exceptions of its Futures
    "_net.tunnel",  # the base class of its transports
    "_net.waiters",  # the exception of its Futures
    "_net.zero_copy_reader",  # the base class of its protocols
    "cli.get",
    "cli.load",
    "cli.loop",
    "sender",  # its Future, made directly
    "testing.peer",  # runs on a loop of its own, in a thread
    "testing.peer_connection",
    "testing.peer_http1",
    "testing.peer_http2",
    "testing.portal",
)


def inside(name: str) -> str:
    """A module's name without the package's."""
    return name.removeprefix(PACKAGE).removeprefix(".")


def others(module: Module) -> set[str]:
    """The top packages that are not ours which a module imports anywhere in it."""
    imported = set()
    for node in ast.walk(ast.parse(module.file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.add((node.module or "").split(".")[0])
    return imported


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
    assert others(module) & IO_MODULES == set()


def test_trio_is_imported_by_its_own_modules_alone() -> None:
    users = [inside(module.name) for module in modules().values() if others(module) & {"trio", "sniffio", "anyio"}]
    assert sorted(users) == sorted(TRIO)
    # And they by nobody who could do without them.
    own = {f"{PACKAGE}.{name}" for name in TRIO}
    assert {inside(module.name) for module in modules().values() if imports(module) & own} - {*TRIO} == {"_net.loops"}


def test_asyncio_is_imported_where_it_cannot_be_asked_for() -> None:
    users = [inside(module.name) for module in modules().values() if others(module) & {"asyncio", "aiohappyeyeballs"}]
    assert sorted(users) == sorted(ASYNCIO)


def test_package_loads_no_trio_by_itself() -> None:
    program = "import sys, deuterium, deuterium.testing; print({'trio', 'sniffio', 'anyio'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
