"""Dependencies: what the worker imports is declared, and does not only come along with something else."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported() -> set[str]:
    """Return the top-level names that the modules of the worker import, without its own and the standard library's."""
    names = set()
    for path in (ROOT / "worker").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - {"worker", "_typeshed"}  # the latter is of type checkers alone


def test_what_the_worker_imports_is_declared() -> None:
    """By the distribution that brings it, as a dependency or for an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    names = {re.split(r"[<>=\[]", each)[0] for each in declared}
    brought_by = packages_distributions()

    assert {name for name in imported() if not names & {re.sub("[-_.]+", "-", it).lower() for it in brought_by[name]}} == set()
