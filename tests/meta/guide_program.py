"""Runs the Python of a page of the guide, from top to bottom: ``python guide_program.py PAGE BASE_URL``.

All snippets of a page share their names. ``await`` outside a function works, as in ``python -m asyncio``.
"""

from __future__ import annotations

import ast
import asyncio
import re
import sys
from pathlib import Path
from typing import Any

SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main(page: Path, base_url: str) -> None:
    text = page.read_text().replace("https://example.org", base_url)
    names: dict[str, Any] = {"__name__": "__main__"}
    with asyncio.Runner() as runner:
        for found in SNIPPET.finditer(text):
            line = text.count("\n", 0, found.start(1))
            code = compile("\n" * line + found[1], page.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            awaited = eval(code, names)
            if awaited is not None:
                runner.run(awaited)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
