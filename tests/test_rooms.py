"""The order of the rooms and the purity of the core, read from the imports."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePath

from calfeed.definitions.code_digest import list_source_files

PACKAGE = Path(__file__).parents[1] / "calfeed"
ORDER = [
    {"errors", "counting", "garbage"},
    {"private_files", "setting_checks"},
    {"settings", "logs"},
    {"clock"},
    {"model"},
    {"definitions"},
    {"importing"},
    {"ical"},
    {"reminders"},
    {"store"},
    {"publish"},
    {"delivery"},
    {"services"},
    {"web"},
    {"cli"},
]
"""Imports point to what stands further up; rooms in one line know nothing of each other."""

OUTSIDE = {"calfeed/__init__.py", "calfeed/__main__.py"}
PURE_ROOMS = ("model", "definitions", "importing", "ical", "reminders")
PURE = {"publish/compare.py", "publish/plan.py", "publish/show.py"}
IMPURE = {"definitions/code_digest.py", "definitions/files.py"}

IO_MODULES = {
    *("apscheduler", "asyncio", "flask", "granian", "http", "logging", "multiprocessing", "os"),
    *("psycopg", "pycurl", "random", "secrets", "select", "shutil", "signal", "socket", "sqlite3"),
    *("ssl", "subprocess", "sys", "tempfile", "threading", "time", "uuid", "watchfiles"),
}
FREE_OF_IO = {("http", "HTTPStatus"), ("uuid", "UUID"), ("uuid", "uuid5")}
CLOCKS_AND_DICE = {
    "now",
    "utcnow",
    "today",
    "uuid1",
    "uuid4",
    "urandom",
    "monotonic",
    "fromtimestamp",
}
LIBRARIES_OF_IO = {
    *("alembic", "apprise", "apscheduler", "flask", "granian", "psycopg", "pycurl", "sqlalchemy"),
    *("sqlite3", "watchfiles"),
}
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text("utf-8"))


@cache
def imports(module: str) -> tuple[tuple[str, str], ...]:
    """What a module imports, wherever it does: the module, and the name taken from it."""
    return tuple(_list_imports(module))


def _list_imports(module: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            yield from ((node.module or "", alias.name) for alias in node.names)


def room_of(module: str) -> str:
    return module.split("/")[0].removesuffix(".py")


def rank_of(room: str) -> int:
    return next(number for number, rooms in enumerate(ORDER) if room in rooms)


def is_pure(module: str) -> bool:
    return module in PURE or (room_of(module) in PURE_ROOMS and module not in IMPURE)


def test_every_room_has_its_place() -> None:
    rooms = {room_of(module) for module in MODULES} - {"__init__", "__main__"}
    assert rooms == set.union(*ORDER)


def test_imports_point_only_to_rooms_that_come_before() -> None:
    upwards = [
        f"{module} imports {name} {taken}"
        for module in MODULES
        if f"calfeed/{module}" not in OUTSIDE
        for name, taken in imports(module)
        if name.startswith("calfeed.")
        and (other := name.split(".")[1]) != room_of(module)
        and rank_of(other) >= rank_of(room_of(module))
    ]
    assert upwards == []


@cache
def modules_behind(module: str) -> frozenset[str]:
    """The modules of calfeed that are loaded with a module, itself among them."""
    found, waiting = set[str](), [module]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += files_of(one)
    return frozenset(found)


@cache
def files_of(module: str) -> list[str]:
    """The modules of calfeed that a module imports."""
    named = {
        name.replace(".", "/")
        for imported, taken in imports(module)
        if imported.startswith("calfeed")
        for name in (imported, f"{imported}.{taken}")
    }
    found = {
        f"{name.removeprefix('calfeed/')}{ending}"
        for name in named
        for ending in (".py", "/__init__.py")
    }
    return sorted(found & set(MODULES))


def test_the_core_loads_no_database_no_network_and_no_settings() -> None:
    """Whatever it imports, and whatever that imports."""
    core = [module for module in MODULES if is_pure(module)]
    for behind in frozenset[str]().union(*map(modules_behind, core)):
        by = [module for module in core if behind in modules_behind(module)]
        libraries = {name.split(".")[0] for name, _ in imports(behind)}
        assert behind not in {"settings.py", "logs.py", "private_files.py"}, by
        assert libraries.isdisjoint(LIBRARIES_OF_IO), f"{by} load {behind}"


def test_all_that_reading_definitions_loads_counts_as_the_code_that_reads() -> None:
    """Where any of it changes, definitions are read again."""
    listed = {path.relative_to(PACKAGE).as_posix() for path in list_source_files()}
    assert modules_behind("definitions/reader.py") <= listed


def test_a_folder_holds_at_most_a_dozen_modules() -> None:
    counts = Counter(
        str(PurePath(module).parent) for module in MODULES if not module.endswith("__init__.py")
    )
    del counts["store/migrations/versions"]  # a released migration stays where it is
    assert {folder: count for folder, count in counts.items() if count > 12} == {}


def test_only_the_store_knows_the_database_library() -> None:
    outside = [
        f"{module} imports {name}"
        for module in MODULES
        if room_of(module) != "store"
        for name, _ in imports(module)
        if name.split(".")[0] in {"sqlalchemy", "alembic", "psycopg"}
    ]
    assert outside == []


FACES = ("cli/", "web/api/", "web/console/", "web/following/")
"""They translate what somebody asks for to `services`, and read the store at most."""

TRANSITION = "a transition"
SQL_WRITES = {"insert", "insert_new", "update", "delete", f"{TRANSITION}.update"}
TRANSACTIONS = {"write", "write_exclusive", "try_write_exclusive"}


@cache
def writers() -> frozenset[str]:
    """The functions of the store that write, by `module.name`, transitively within the store."""
    calls: dict[str, set[str]] = {}
    for module in MODULES:
        if room_of(module) != "store" or module.startswith("store/migrations/"):
            continue
        name = "calfeed." + module.removesuffix(".py").replace("/", ".")
        functions = [node for node in tree_of(module).body if isinstance(node, ast.FunctionDef)]
        taken = {alias: f"{source}.{alias}" for source, alias in imports(module)}
        taken |= {node.name: f"{name}.{node.name}" for node in functions}
        taken |= dict.fromkeys(transitions_of(module), TRANSITION)
        calls |= {f"{name}.{node.name}": set(called_in(node, taken)) for node in functions}
    found = {name for name, called in calls.items() if not called.isdisjoint(SQL_WRITES)}
    while more := {name for name, called in calls.items() if called & found} - found:
        found |= more
    return frozenset(found)


def transitions_of(module: str) -> Iterator[str]:
    """The names of a module's transitions between states, whose `update` writes."""
    for node in tree_of(module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("Transition("):
            yield from (one.id for one in node.targets if isinstance(one, ast.Name))


def called_in(function: ast.FunctionDef, taken: dict[str, str]) -> Iterator[str]:
    """What a function calls: the statements of SQL that write by their names, others in full."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in taken:
                yield f"{taken[owner.id]}.{node.func.attr}"
            if node.func.attr == "insert":  # of a table
                yield "insert"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            full = taken.get(node.func.id, "")
            is_sql = full.startswith("sqlalchemy.") or node.func.id == "insert_new"
            yield node.func.id if is_sql else full


def test_the_functions_of_the_store_that_write_are_found() -> None:
    known = {
        "calfeed.store.endpoints.lifecycle.pause_or_disable_endpoint",
        "calfeed.store.endpoints.records.add_endpoint",
        "calfeed.store.access.tokens.revoke_token",
        "calfeed.store.outbox.rehearsals.add_rehearsal",
        "calfeed.store.secrets.resealing.reseal_all",
    }
    assert known <= writers()
    assert "calfeed.store.endpoints.records.find_endpoint" not in writers()


def test_commands_api_and_console_only_read_the_store() -> None:
    """What somebody can do is a function of `services`, one for every face."""
    for module in MODULES:
        if module.startswith(FACES):
            check_only_reads(module)


def check_only_reads(module: str) -> None:
    taken = {alias: f"{name}.{alias}" for name, alias in imports(module)}
    assert writers().isdisjoint(taken.values())
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            used = f"{taken.get(owner, '')}.{node.attr}"
            assert used not in writers(), f"{module}:{node.lineno} uses {used}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            opens = node.func.attr in TRANSACTIONS and not node.args
            assert not opens, f"{module}:{node.lineno} opens a transaction that writes"


def test_only_the_settings_read_the_environment() -> None:
    readers = {("os", "environ"), ("os", "getenv")}
    for module in MODULES:
        if module == "settings.py":
            continue
        assert readers.isdisjoint(imports(module)), module
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in readers, module


def test_the_core_reads_no_file_no_clock_and_throws_no_dice() -> None:
    for module in MODULES:
        if is_pure(module):
            check_purity(module)


def check_purity(module: str) -> None:
    for name, taken in imports(module):
        library = name.split(".")[0]
        assert library not in IO_MODULES or (name, taken) in FREE_OF_IO, f"{module}: {name}"
        assert name != "urllib.request"
        assert (name, taken) != ("pathlib", "Path"), f"{module}: {name}"
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            assert name not in CLOCKS_AND_DICE, f"{module}:{node.lineno}: {name}()"
            assert not (isinstance(called, ast.Name) and name in ("open", "print", "input"))


def test_no_module_is_two_things() -> None:
    """Past 350 lines it is."""
    lengths = {one: len((PACKAGE / one).read_text("utf-8").splitlines()) for one in MODULES}
    assert {module: lines for module, lines in lengths.items() if lines > 350} == {}


def test_every_module_says_what_it_is_for() -> None:
    assert [module for module in MODULES if not ast.get_docstring(tree_of(module))] == []
