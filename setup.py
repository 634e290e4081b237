"""Build: every ``.py`` with a sibling ``.pxd`` is compiled by Cython; ``DEUTERIUM_PURE=1`` builds none of them."""

import hashlib
import os
import sys
from pathlib import Path

from setuptools import Extension, setup

SOURCE = Path("src")

DIRECTIVES = {
    "language_level": 3,
    "annotation_typing": False,
    "boundscheck": True,
    "wraparound": False,
    "initializedcheck": False,
    "nonecheck": True,
    "cdivision": True,
    "freethreading_compatible": True,
}


def compiled_modules() -> list[Extension]:
    """One extension per ``.pxd`` that has a ``.py`` beside it."""
    flags = ["/O2"] if sys.platform == "win32" else ["-O3", "-g0", "-fno-strict-aliasing", "-Wno-unused-function"]
    flags += os.environ.get("DEUTERIUM_CFLAGS", "").split()
    modules = []
    for header in sorted(SOURCE.glob("deuterium/**/*.pxd")):
        source = header.with_suffix(".py")
        if source.exists():
            name = ".".join(source.relative_to(SOURCE).with_suffix("").parts)
            modules.append(Extension(name, [str(source)], extra_compile_args=flags))
    return modules


def headers_digest() -> str:
    """What all ``.pxd`` say together: when it changes, everything is compiled again.

    Cython overlooks ``cimport x as y`` when it decides what to compile again, and modules that disagree about a
    header fail at import or worse.
    """
    digest = hashlib.sha256()
    for header in sorted(SOURCE.glob("deuterium/**/*.pxd")):
        digest.update(header.as_posix().encode() + header.read_bytes())
    return digest.hexdigest()


def extensions() -> list[Extension]:
    if os.environ.get("DEUTERIUM_PURE", "") not in ("", "0"):
        return []
    from Cython.Build import cythonize

    build_dir = Path(os.environ.get("DEUTERIUM_BUILD_DIR", "build/cython"))
    stamp = build_dir / "headers.sha256"
    digest = headers_digest()
    modules = cythonize(
        compiled_modules(),
        force=not stamp.exists() or stamp.read_text() != digest,
        include_path=["src"],
        compiler_directives=DIRECTIVES,
        annotate=bool(os.environ.get("DEUTERIUM_ANNOTATE")),
        nthreads=0 if sys.platform == "win32" else min(4, os.cpu_count() or 1),
        build_dir=str(build_dir),
    )
    build_dir.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest)
    return modules


if __name__ == "__main__":  # Cython's helpers import this file again where processes are not forked
    try:
        setup(ext_modules=extensions())
    except BaseException as error:
        if not isinstance(error, SystemExit) or error.code not in (0, None):
            print(
                "\nDeuterium: compiling the engine failed. A C compiler and Python headers are needed; "
                "set DEUTERIUM_PURE=1 to install the interpreted engine instead (slower, same behaviour).\n",
                file=sys.stderr,
            )
        raise
