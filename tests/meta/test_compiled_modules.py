"""One source, two faces: each ``.pxd`` matches its ``.py``, and what should be compiled is."""

from __future__ import annotations

import ast
import importlib
import os
import re
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from meta.tree import SOURCE, Module, compiled_modules, modules

CLASS = re.compile(r"^cdef class (\w+)")
MEMBER = re.compile(r"^    cdef (?:readonly |public )?(?!inline )([^(]+)$")
C_TYPE = re.compile(r"^\s*ctypedef (?:struct )?.*?(\w+):?$", re.MULTILINE)

EXPECTED = os.environ.get("DEUTERIUM_EXPECT")


def by_name(module: Module) -> str:
    return module.name


def fields(header: Path) -> dict[str, set[str]]:
    """The fields of each ``cdef class`` of a header, without those of a C type that Python cannot hold."""
    text = re.sub(r"#.*", "", header.read_text())
    c_types = set(C_TYPE.findall(text))
    found: dict[str, set[str]] = {}
    members: set[str] | None = None
    for line in text.splitlines():
        if line and not line[0].isspace():
            match = CLASS.match(line)
            members = found.setdefault(match[1], set()) if match else None
        elif members is not None and (match := MEMBER.match(line.rstrip())):
            first, *others = (part.strip() for part in match[1].split(","))
            if first.split()[0] not in c_types:
                members |= {first.split()[-1].lstrip("*"), *others}
    return found


def slots(module: Module) -> dict[str, set[str] | None]:
    """What ``__slots__`` says in each class of a module; None where it is missing."""
    found: dict[str, set[str] | None] = {}
    for node in ast.parse(module.file.read_text()).body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = None
            for statement in node.body:
                if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
                    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                    if any(isinstance(target, ast.Name) and target.id == "__slots__" for target in targets):
                        value = ast.literal_eval(statement.value)
                        found[node.name] = {value} if isinstance(value, str) else set(value)
    return found


@pytest.mark.parametrize("module", compiled_modules(), ids=by_name)
def test_slots_of_every_compiled_class_are_its_cdef_fields(module: Module) -> None:
    assert module.header is not None
    declared = fields(module.header)
    written = slots(module)
    assert {name: written.get(name) for name in declared} == declared


def test_every_header_has_a_module_beside_it() -> None:
    alone = [header for header in SOURCE.rglob("*.pxd") if not header.with_suffix(".py").exists()]
    assert alone == []


@pytest.mark.parametrize("module", compiled_modules(), ids=by_name)
def test_compiled_module_does_not_import_cython(module: Module) -> None:
    names = {
        name
        for node in ast.walk(ast.parse(module.file.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert "cython" not in {(name or "").split(".")[0] for name in names}


def is_compiled(module: Module) -> bool:
    file = importlib.import_module(module.name).__file__
    assert file is not None
    return file.endswith(tuple(EXTENSION_SUFFIXES))


def test_every_compiled_module_loaded_as_this_run_expects() -> None:
    """Some compiled and some not is a broken build, whatever was expected."""
    faces = {module.name: is_compiled(module) for module in compiled_modules()}
    expected = {"compiled": True, "pure": False}.get(EXPECTED or "", next(iter(faces.values())))
    assert [name for name, face in faces.items() if face is not expected] == []


def test_module_without_header_loaded_from_source() -> None:
    plain = [module for module in modules().values() if module.header is None and not module.name.endswith("__main__")]
    assert [module.name for module in plain if is_compiled(module)] == []


def test_fields_of_a_header_are_read_as_cython_reads_them(tmp_path: Path) -> None:
    header = tmp_path / "sample.pxd"
    header.write_text(
        "cdef extern from *:\n"
        "    ctypedef struct c_lock:\n"
        "        pass\n"
        "cdef Py_ssize_t LIMIT\n"
        "cdef class Plain:\n"
        "    cdef readonly bytearray data  # why\n"
        "    cdef Py_ssize_t start, end\n"
        "    cdef const unsigned char *place\n"
        "    cdef c_lock lock\n"
        "\n"
        "    cdef inline Py_ssize_t length(self)\n"
        "    cpdef close(self)\n"
        "    cdef Plain _next(self, Py_ssize_t a)\n"
        "cdef class Empty(Plain):\n"
        "    cpdef reset(self)\n"
    )
    assert fields(header) == {"Plain": {"data", "start", "end", "place"}, "Empty": set()}
