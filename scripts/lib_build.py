"""What the shell commands of this folder ask about the project: its requirements, and a clean copy of its sources.

``lib_build.py requirements build project test cli``: the requirements that pyproject.toml names, one a line.
``lib_build.py stage FOLDER``: copies what a build needs into FOLDER and prints a digest of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import sysconfig
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD_FILES = ("setup.py", "pyproject.toml", "README.md")
SOURCES = shutil.ignore_patterns("*.so", "*.pyd", "*.c", "*.html", "__pycache__", "*.egg-info")
NEED_A_GIL = ("brotli", "gevent", "orjson")  # test and extra requirements not built for CPythons without one
BUILD_VARIABLES = ("DEUTERIUM_PURE", "DEUTERIUM_CFLAGS", "CFLAGS", "CC")


def requirements(names: list[str]) -> list[str]:
    """The requirements of the build, of the project, of an extra or of a dependency group, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    sources: dict[str, list[str]] = {
        "build": project["build-system"]["requires"],
        "project": project["project"]["dependencies"],
        **project["project"]["optional-dependencies"],
        **project["dependency-groups"],
    }
    wanted = [requirement for name in names for requirement in sources[name]]
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        wanted = [requirement for requirement in wanted if not requirement.startswith(NEED_A_GIL)]
    return wanted


def stage(folder: Path) -> str:
    """Copy the sources into a new ``folder``; the digest covers them, this Python and the build's variables."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "src", folder / "src", ignore=SOURCES)
    for name in BUILD_FILES:
        shutil.copy(ROOT / name, folder / name)
    digest = hashlib.sha256(sys.version.encode())
    for name in BUILD_VARIABLES:
        digest.update(f"{name}={os.environ.get(name, '')}\0".encode())
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    if sys.argv[1] == "requirements":
        print("\n".join(requirements(sys.argv[2:])))
    else:
        print(stage(Path(sys.argv[2])))
