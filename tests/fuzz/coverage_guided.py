"""Coverage-guided fuzzing with atheris: ``python coverage_guided.py TARGET [libFuzzer's arguments]``.

A target is a module of this folder with ``run(octets)``, which raises for a finding. It runs interpreted, since atheris
sees the branches of Python's code only; what it finds is replayed on the compiled engine by the tests of the corpus.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped, unused-ignore]

TESTS = Path(__file__).resolve().parents[1]


def main(target: str, arguments: list[str]) -> None:
    """Run until a finding or until libFuzzer's own limits."""
    sys.path.insert(0, str(TESTS))
    with atheris.instrument_imports(include=["deuterium"]):
        module = importlib.import_module(f"fuzz.{target}_program")
    atheris.Setup([sys.argv[0], *arguments], module.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
