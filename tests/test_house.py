"""Where things live: one folder, one job, and arrows that go one way."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# The design's table, section 1: what each folder may import of ours, from the bottom to the top.
MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "messages": frozenset(),
    "analysis": frozenset({"messages"}),
    "exchanges": frozenset({"messages", "analysis"}),
    "runtime": frozenset({"messages", "analysis"}),
    "actors": frozenset({"messages", "analysis", "exchanges", "runtime"}),
    "supervisors": frozenset({"messages", "analysis", "exchanges", "runtime", "actors"}),
    "simulation": frozenset(
        {"messages", "analysis", "exchanges", "runtime", "actors", "supervisors"}
    ),
    "dashboard": frozenset(
        {"messages", "analysis", "exchanges", "runtime", "actors", "supervisors", "simulation"}
    ),
    "console": frozenset(
        {"messages", "analysis", "exchanges", "runtime", "actors", "supervisors", "simulation"}
    ),
    "compat": frozenset(
        {"messages", "analysis", "exchanges", "runtime", "actors", "supervisors", "simulation"}
    ),
}

CLOCKS = {"time", "sched", "timeit"}
DICE = {"random", "secrets"}
SOCKETS = {"socket", "ssl", "select", "selectors", "socketserver", "websocket", "websockets"}
WIRES = SOCKETS | {"http", "urllib.request", "urllib3", "subprocess"}
THREADS = {"_thread", "concurrent", "multiprocessing", "sched"}
DECISIONS = CLOCKS | DICE | WIRES | THREADS | {"asyncio", "pykka", "queue", "signal"}

# What a folder may not import from outside. Decisions are plain values: time and random draws come
# in as arguments. Actors and supervisors get clock, timers, randomness and sockets from the
# dispatcher and the transport they are given; supervisors also serve asyncio hosts and wait for
# Pykka's futures.
FORBIDDEN: Mapping[str, frozenset[str]] = {
    "messages": frozenset(DECISIONS | {"threading", "loguru"}),
    "analysis": frozenset(DECISIONS),
    "exchanges": frozenset(DECISIONS | {"threading"}),
    "actors": frozenset(CLOCKS | DICE | WIRES | THREADS | {"asyncio"}),
    "supervisors": frozenset(CLOCKS | DICE | WIRES | THREADS),
}

# Locks are fine; a thread, or a timer, which is one, is not.
ALLOWED_OF_THREADING = {"Lock", "RLock"}

# Calls that read a clock or draw a random number in modules that are otherwise harmless.
FORBIDDEN_CALLS = {
    "datetime": {"now", "today", "utcnow"},
    "date": {"today"},
    "os": {"getrandom", "times", "urandom"},
    "uuid": {"uuid1", "uuid4", "uuid6", "uuid7"},
    "asyncio": {"sleep", "create_task", "run", "new_event_loop"},
}


def sources(folder: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield path, ast.parse(path.read_text("utf-8"), str(path))


def imports(folder: str) -> Iterator[tuple[str, ast.Import | ast.ImportFrom]]:
    """Yield where each import stands, and the import, also those for type checkers only."""
    for path, module in sources(folder):
        for node in ast.walk(module):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def imported_of_ours(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Return the folders of ours that a relative import from outside the own folder names."""
    if not isinstance(node, ast.ImportFrom) or node.level < 2:
        return []
    if node.module is None:
        return [alias.name for alias in node.names]
    return [node.module.partition(".")[0]]


def imported_from_outside(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [] if node.level else [node.module or ""]


def names(module: str, forbidden: frozenset[str]) -> bool:
    return any(module == each or module.startswith(f"{each}.") for each in forbidden)


def folders() -> set[str]:
    return {path.parent.name for path in ROOT.glob("*/__init__.py")}


def test_every_folder_of_the_package_has_a_place_in_the_table() -> None:
    assert folders() == MAY_IMPORT.keys()


def test_arrows_in_the_table_go_one_way() -> None:
    below: set[str] = set()
    for folder, may_import in MAY_IMPORT.items():
        assert may_import <= below
        below.add(folder)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_what_is_below_it(folder: str) -> None:
    wrong = [
        f"{where} imports {imported}"
        for where, node in imports(folder)
        for imported in imported_of_ours(node)
        if imported not in MAY_IMPORT[folder]
    ]

    assert wrong == []


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_inside_the_package_imports_of_ours_are_relative(folder: str) -> None:
    wrong = [
        f"{where} imports {imported}"
        for where, node in imports(folder)
        for imported in imported_from_outside(node)
        if names(imported, frozenset({"ticklane"}))
    ]

    assert wrong == []


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_clocks_dice_threads_and_sockets_are_given_not_imported(folder: str) -> None:
    wrong = [
        f"{where} imports {imported}"
        for where, node in imports(folder)
        for imported in imported_from_outside(node)
        if names(imported, FORBIDDEN[folder])
    ]

    assert wrong == []


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_of_threading_only_locks_are_used(folder: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} uses threading.{name}"
        for path, module in sources(folder)
        for line, name in used_of_threading(module)
        if name not in ALLOWED_OF_THREADING
    ]

    assert wrong == []


def used_of_threading(module: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module == "threading":
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.Attribute) and _name(node.value) == "threading":
            yield node.lineno, node.attr


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_nothing_reads_a_clock_or_draws_a_number_by_the_back_door(folder: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} uses {_name(node.value)}.{node.attr}"
        for path, module in sources(folder)
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute)
        and node.attr in FORBIDDEN_CALLS.get(_name(node.value), ())
    ]

    assert wrong == []


def _name(node: ast.expr) -> str:
    """Return the last name of `datetime`, `dt.datetime` and the like."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def test_the_root_imports_absolutely() -> None:
    relative = [
        path.name
        for path in ROOT.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert relative == []
