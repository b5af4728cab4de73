"""Data flows one way: no module of lambdasim imports a later stage."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lambdasim

ROOT = Path(lambdasim.__file__).parent

# Stages that may import each other's earlier ones; those on one line do not depend on one another, but for EXTRA.
STAGES = [
    {"_needs", "errors", "units", "rng", "version"},
    {"scenario"},
    {"workload", "platform", "eventlog"},
    {"engine"},
    {"cost"},
    {"metrics"},
    {"report"},
    {"api", "check_setup", "extras", "level_runs", "notebook", "signals", "cli", "__init__", "__main__"},
]
LEVEL = {name: level for level, names in enumerate(STAGES) for name in names}

# Allowed within one stage: the delay of a retry and the processor of a memory size are rules of the platform, and a run
# begins with its errors and units.
EXTRA = {("workload", "platform.retry"), ("workload", "platform.compute"), ("units", "errors"), ("rng", "errors")}

# The report names limits by AWS's words and compares with theory; theory itself imports nothing (see below).
BESIDE_THE_FLOW = {"theory"}


def modules() -> list[Path]:
    """Every module of the package."""
    return sorted(ROOT.rglob("*.py"))


def name_of(path: Path) -> str:
    """``platform.retry`` of a path inside the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def is_type_checking(node: ast.AST) -> bool:
    """Whether a node is ``if TYPE_CHECKING:``, whose imports never run."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported(tree: ast.AST, *, only_at_import: bool = False) -> set[str]:
    """Full names of all that a module imports, anywhere in it or only when it is imported itself."""
    found: set[str] = set()
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            assert node.module is not None
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        is_later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or is_type_checking(node)
        if not (only_at_import and is_later):
            pending.extend(ast.iter_child_nodes(node))
    return found


def inside(names: set[str]) -> set[str]:
    """The names within lambdasim, without its own."""
    return {name.removeprefix("lambdasim.") for name in names if name.startswith("lambdasim.")}


def is_wrong(importer: str, target: str) -> bool:
    """Whether a module of one stage may not import a name of another."""
    here, there = importer.split(".")[0], target.split(".")[0]
    if here == there or there in BESIDE_THE_FLOW:
        return False
    if any(here == stage and (target + ".").startswith(part + ".") for stage, part in EXTRA):
        return False
    return LEVEL[there] >= LEVEL[here] and not (LEVEL[here] == LEVEL[there] == len(STAGES) - 1)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_no_module_imports_a_later_stage(path: Path) -> None:
    """errors, units, rng < scenario < workload, platform, eventlog < engine < cost < metrics < report < api, cli."""
    importer = name_of(path)
    if importer.split(".")[0] in BESIDE_THE_FLOW:
        assert all(
            target.split(".")[0] in {"errors", "theory"}
            for target in inside(imported(ast.parse(path.read_text("utf-8"))))
        )
        return
    assert importer.split(".")[0] in LEVEL, "a new part of the package needs its place in STAGES"
    wrong = {target for target in inside(imported(ast.parse(path.read_text("utf-8")))) if is_wrong(importer, target)}
    assert wrong == set()


def test_only_the_reference_engine_imports_simpy() -> None:
    """Everything else is plain integers and arrays."""
    users = {
        name_of(path)
        for path in modules()
        if any(name.split(".")[0] == "simpy" for name in imported(ast.parse(path.read_text("utf-8"))))
    }
    assert users
    assert all(user.startswith("engine.reference") for user in users)


def test_only_pictures_import_matplotlib() -> None:
    """Elsewhere it is at most imported inside a function: a run without pictures does not need it."""
    users = {
        name_of(path)
        for path in modules()
        if any(
            name.split(".")[0] == "matplotlib"
            for name in imported(ast.parse(path.read_text("utf-8")), only_at_import=True)
        )
    }
    assert all(user.startswith("report.") for user in users)


@pytest.mark.parametrize(
    ("importer", "target", "wrong"),
    [
        ("scenario.load", "workload.workload", True),
        ("platform.region", "scenario.schema", False),
        ("platform.retry", "workload.draws", True),
        ("workload.draws", "platform.retry.backoff_ns", False),
        ("workload.draws", "platform.region", True),
        ("eventlog.log", "platform.concurrency", True),
        ("engine.base", "eventlog.log", False),
        ("engine.base", "metrics.summary", True),
        ("cost.usage", "metrics.outcomes", True),
        ("metrics.run", "cost.run_cost", False),
        ("metrics.summary", "report.pictures", True),
        ("report.text", "theory", False),
        ("units", "scenario.fields", True),
        ("units", "errors.RuleViolation", False),
        ("cli", "api", False),
        ("report.text", "cli", True),
    ],
)
def test_a_wrong_arrow_is_seen(importer: str, target: str, wrong: bool) -> None:
    """The test can fail."""
    assert is_wrong(importer, target) is wrong


def test_importing_lambdasim_loads_no_matplotlib() -> None:
    """In a fresh interpreter, and random generators keep their state."""
    code = (
        "import sys, random, numpy; before = random.getstate(), numpy.random.get_state()[1].tolist();"
        "import lambdasim;"
        "assert 'matplotlib' not in sys.modules, 'matplotlib';"
        "assert (random.getstate(), numpy.random.get_state()[1].tolist()) == before, 'state'"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
