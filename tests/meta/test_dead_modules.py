"""Every module is reached from a public one."""

from __future__ import annotations

from meta.tree import PACKAGE, imports, modules

# A module that nothing reaches yet, and what it waits for.
UNREACHED: dict[str, str] = {}


def test_every_module_is_reached_from_a_public_one() -> None:
    public = [name for name in modules() if not any(part.startswith("_") for part in name.split("."))]
    reached, ahead = set[str](), [*public, f"{PACKAGE}.__main__"]
    while ahead:
        name = ahead.pop()
        if name not in reached and name in modules():
            reached.add(name)
            ahead += imports(modules()[name])
            # Importing a module runs its packages first.
            ahead.append(name.rpartition(".")[0])
    packages = {name for name, module in modules().items() if module.is_package}
    unreached = modules().keys() - reached - packages
    assert unreached - UNREACHED.keys() == set(), "reach them from a public module, or delete them"
    assert UNREACHED.keys() - unreached == set(), "in use now: take them off the list"
