"""No module of ours, or that we need, has a free-threaded CPython switch its GIL on."""

from __future__ import annotations

import subprocess
import sys
import sysconfig

import pytest

from meta.tree import compiled_modules

NEEDED = "httptools, idna, multidict, yarl, aiohappyeyeballs, publicsuffixlist"


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this CPython always has its GIL")
def test_import_of_everything_leaves_the_gil_off() -> None:
    names = ", ".join(module.name for module in compiled_modules())
    program = f"import sys, deuterium, {names}, {NEEDED}; print(sys._is_gil_enabled())"
    told = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert (told.stdout, told.stderr) == ("False\n", "")
