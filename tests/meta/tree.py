"""The source tree as the meta tests see it: modules, their headers, and who imports whom."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = ROOT / "src"
PACKAGE: Final = "deuterium"

FROM_CIMPORT = re.compile(r"^\s*from\s+([\w.]+)\s+cimport\s+(.+)$", re.MULTILINE)
CIMPORT = re.compile(r"^\s*cimport\s+([\w.]+)", re.MULTILINE)


@dataclass(frozen=True)
class Module:
    """One module of the package; ``header`` is its ``.pxd``, if it is compiled."""

    name: str
    file: Path
    header: Path | None

    @property
    def is_package(self) -> bool:
        return self.file.name == "__init__.py"


@cache
def modules() -> dict[str, Module]:
    """Every module of the package by its full name."""
    found = {}
    for file in sorted(SOURCE.glob(f"{PACKAGE}/**/*.py")):
        parts = file.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        header = file.with_suffix(".pxd")
        found[name] = Module(name, file, header if header.exists() else None)
    return found


def compiled_modules() -> list[Module]:
    """The modules with a ``.pxd``."""
    return [module for module in modules().values() if module.header]


def imports(module: Module) -> set[str]:
    """The modules of ours that ``module`` imports or its header cimports; packages on the way are left out."""
    names = set(_python_imports(module))
    if module.header:
        names |= set(_cimports(module.header))
    return {name for name in names if name in modules()} - {module.name}


def _python_imports(module: Module) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            yield from (_target(base, alias.name) for alias in node.names)


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    kept = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _target(base: str, name: str) -> str:
    """``from base import name`` reaches the module ``base.name`` if there is one, and otherwise ``base``."""
    return f"{base}.{name}" if f"{base}.{name}" in modules() else base


def _cimports(header: Path) -> Iterator[str]:
    text = header.read_text()
    yield from CIMPORT.findall(text)
    for base, names in FROM_CIMPORT.findall(text):
        yield from (_target(base, name.split()[0]) for name in names.strip("()").split(",") if name.strip())


def repository_files() -> list[Path]:
    """Every file that is committed or would be; without git, every file outside hidden and built folders."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    if listing.returncode == 0:
        files = [ROOT / name for name in listing.stdout.decode().splitlines()]
    else:
        built = {"build", "dist", "target", "__pycache__"}
        files = [
            file
            for file in ROOT.rglob("*")
            if not any(part.startswith(".venv") or part in built for part in file.relative_to(ROOT).parts)
        ]
    return sorted(file for file in files if file.is_file())
