"""Who may import whom: pages → core.ui → core.<task> → core.frames, core.models, core.results.

Every import is walked, also those inside functions: a heavy library may be imported late, a rule may not
be broken late.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from core.methods import TASKS

ROOT = Path(__file__).parents[1]
LIBRARY = "core, but for core.ui"
TASK = tuple(f"core.{task}" for task in TASKS)
OUTER = ("core.store", "core.export", "core.batch")

# Where           must not import                                because
RULES = [
    (LIBRARY,        ("streamlit", "core.ui"),                    "core can be used from a notebook"),
    ("core",         ("pages", "Home", "training", "benchmarks"), "core is what they stand on"),
    ("pages",        ("pages", "training", "benchmarks"),         "a page is a leaf"),
    ("core.errors",  ("core",),                                   "errors are the bottom"),
    ("core.shapes",  ("core",),                                   "so are shapes"),
    ("core.frames",  (*TASK, *OUTER, "core.methods", "core.results", "core.models"),
                                                                  "a frame knows nothing of what is found"),
    ("core.results", (*TASK, *OUTER, "core.methods"),             "a result is what all others share"),
    ("core.methods", OUTER,                                       "a method does not care who runs it"),
    ("core.models",  (*TASK, *OUTER, "core.methods"),             "weights serve every task"),
    ("core.scoring", (*TASK, *OUTER),                             "scores serve every task"),
    ("core.store",   (*TASK, "core.export", "core.batch"),        "the store knows results, never a task"),
    ("core.export",  (*TASK, "core.store", "core.batch"),         "an export knows results, never a task"),
    ("core.batch",   (*TASK, "core.store", "core.export"),        "a batch finds methods in the registry"),
    *((task, (*OUTER, *(other for other in TASK if other != task)), "a task stands by itself")
      for task in TASK),
]  # fmt: skip

# What listing the methods must not cost: each of these takes a tenth of a second or more, or much memory.
HEAVY = [
    "torch", "torchvision", "safetensors", "photutils", "sep", "skimage", "astropy.wcs", "streamlit",
    "duckdb", "scipy", "plotly",
]  # fmt: skip


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path):
    """Every module a file imports, with the names of ``from a import b`` as ``a.b``."""
    module = module_name(path)
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            yield base, node.lineno
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


def within(module, package):
    return module == package or module.startswith(f"{package}.")


def sources():
    return [*ROOT.glob("*.py"), *(file for top in ("core", "pages") for file in (ROOT / top).rglob("*.py"))]


@pytest.mark.parametrize(("where", "forbidden", "because"), RULES, ids=[rule[0] for rule in RULES])
def test_imports_go_one_way(where, forbidden, because):
    broken = []
    for path in sources():
        module = module_name(path)
        if where == LIBRARY:
            covered = within(module, "core") and not within(module, "core.ui")
        else:
            covered = within(module, where)
        if covered:
            broken += [
                f"{path.relative_to(ROOT)}:{line} imports {name}"
                for name, line in imported(path)
                if any(within(name, package) for package in forbidden)
            ]
    assert not broken, f"{because}: {broken}"


def test_the_walk_sees_imports_of_every_kind(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    file = tmp_path / "core" / "store" / "a.py"
    file.parent.mkdir(parents=True)
    lines = ["import x.y", "from core import stars", "from . import b", "from ..ui import c", "def f():"]
    file.write_text("\n".join([*lines, "    import z"]))
    names = {name for name, _ in imported(file)}
    assert {"x.y", "core.stars", "core.store.b", "core.ui.c", "z"} <= names


def test_the_rules_speak_of_what_there_is():
    there = {module_name(path) for path in sources()}
    for where, _, _ in RULES:
        if where not in (LIBRARY, *TASK, "pages"):
            assert any(within(module, where) for module in there), where


@pytest.mark.parametrize("module", ["core.methods", "core.models", "core.export", "core.batch"])
def test_listing_the_methods_is_cheap(module):
    code = (
        f"import sys, {module}, core.methods; names = list(core.methods.methods()); "
        f"assert 'stars.sep' in names; print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
