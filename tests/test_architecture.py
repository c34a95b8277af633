"""The rooms stand as they were drawn: who may import whom, who guards which route, and what no room is called."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from app import create_app
from tests.conftest import settings_for

ROOT = Path(__file__).resolve().parents[1]

# Room by room: which other rooms it may import. Everybody may import from their own room, and how times are written.
MAY_IMPORT = {
    "commands": {
        *("backups", "simulator", "runtime", "server", "alerts", "erasure", "destinations"),
        *("sync", "outbound", "models", "security", "config"),
    },
    "server": {"models", "config"},
    "blueprints": {
        *("backups", "simulator", "runtime", "alerts", "erasure", "destinations"),
        *("sync", "outbound", "models", "security", "config"),
    },
    "simulator": {"runtime", "destinations", "sync", "outbound", "models", "security", "config"},
    "alerts": {"backups", "runtime", "destinations", "sync", "outbound", "models", "config"},
    "backups": {"runtime", "models", "config"},
    "erasure": {"runtime", "destinations", "sync", "outbound", "security", "models"},
    "destinations": {"runtime", "outbound", "models"},
    "security": {"runtime", "models", "config"},
    "sync": {"models"},
    "outbound": {"runtime", "models"},
    "runtime": {"models", "config"},
    "models": set(),
    "config": set(),
}

FOR_ALL = {"config.clock", "config.counts", "config.durations", "config.lengths", "config.words"}
WEB = {"flask", "werkzeug", "jinja2", "flask_httpauth", "flask_limiter", "htmx_flask"}
CALLS_OUT = {"requests", "httpx", "urllib3", "http", "smtplib", "socket", "tenacity"}
NEVER = {
    "sync": WEB | CALLS_OUT,
    "outbound": WEB,
    "destinations": WEB,
    "alerts": WEB,
    "backups": WEB | CALLS_OUT,
    "erasure": WEB | CALLS_OUT,
    "models": WEB | CALLS_OUT,
    "config": WEB | CALLS_OUT,
    "blueprints": CALLS_OUT,
    "security": CALLS_OUT,
}
CONFIG_LIBRARIES = {"click", "dotenv", "msgspec", "psycopg", "structlog"}  # beside the standard library

# The server's process comes in here, from above all rooms.
FROM_ABOVE = {"server/wsgi.py": {"app"}}

# Of Flask, what a terminal has no use for.
OF_A_REQUEST = {"request", "render_template", "render_template_string", "session"}

# Everything that answers without a sign-in. None of it holds member data or a secret.
OPEN = {
    "api_public.openapi",
    "health.healthz",
    "health.metrics",
    "health.readyz",
    "health.status",
    "sign.arrive_from_provider",
    "sign.challenge_passkey",
    "sign.challenge_passkey_alone",
    "sign.forgotten_form",
    "sign.forgotten_sent",
    "sign.forgotten_try",
    "sign.join_form",
    "sign.join_try",
    "sign.leave_for_provider",
    "sign.second_step_by_passkey",
    "sign.second_step_form",
    "sign.second_step_try",
    "sign.sign_in_by_passkey",
    "sign.sign_in_form",
    "sign.sign_in_try",
    "sign.sign_up_form",
    "sign.sign_up_try",
    "sign.signed_out",
    "static",
}

LINE = 120  # characters

LONGEST_FILE = 300  # lines
MOST_PARAMETERS = 7
NAMES_OF_NO_ROOM = {"utils", "util", "helpers", "helper", "common", "core", "services", "service", "misc"}


def sources(room: str) -> list[Path]:
    """Its files; a room may be a single one."""
    single = ROOT / f"{room}.py"
    return [single] if single.is_file() else sorted((ROOT / room).rglob("*.py"))


@cache
def parsed(path: Path) -> list[ast.AST]:
    """Every node of a file; each file is read once for all tests."""
    return list(ast.walk(ast.parse(path.read_text())))


def imports(path: Path) -> Iterator[tuple[str, set[str]]]:
    """Every import of a file, also inside functions: the module, and the names that are taken from it."""
    for node in parsed(path):
        if isinstance(node, ast.Import):
            yield from ((alias.name, set()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module or "", {alias.name for alias in node.names}


def first(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


ROOMS = [room for room in MAY_IMPORT if sources(room)]


def test_every_folder_of_python_is_a_room_of_the_house() -> None:
    beside = {"tests", "benchmarks", "migrations"}
    found = {path.parent.name for path in ROOT.glob("*/*.py") if not path.parent.name.startswith(".")}
    assert found - beside == {room for room in ROOMS if (ROOT / room).is_dir()}


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_down_the_table_only(room: str) -> None:
    ours = {*MAY_IMPORT, "app", "tests", "benchmarks"}
    for path in sources(room):
        taken = {first(module) for module, _names in imports(path) if module not in FOR_ALL} & ours - {room}
        assert taken - FROM_ABOVE.get(str(path.relative_to(ROOT)), set()) <= MAY_IMPORT[room], path


def test_no_blueprint_imports_another() -> None:
    """What two of them need lives above them, in `blueprints/*.py`."""
    siblings = {path.parent.name for path in (ROOT / "blueprints").glob("*/__init__.py")}
    assert len(siblings) > 4
    for sibling in siblings:
        others = {f"blueprints.{other}" for other in siblings - {sibling}}
        for path in sources(f"blueprints/{sibling}"):
            for module, names in imports(path):
                taken = {module, *(f"{module}.{name}" for name in names)}
                assert not {".".join(one.split(".")[:2]) for one in taken} & others, path


@pytest.mark.parametrize("room", [room for room in ROOMS if room in NEVER])
def test_no_room_touches_what_is_not_its_subject(room: str) -> None:
    for path in sources(room):
        assert not {first(module) for module, _names in imports(path)} & NEVER[room], path


def test_config_needs_hardly_more_than_the_standard_library() -> None:
    for path in sources("config"):
        taken = {first(module) for module, _names in imports(path)} - {"config"}
        assert taken - sys.stdlib_module_names <= CONFIG_LIBRARIES, path


def test_the_terminal_knows_no_request_and_no_template() -> None:
    for path in sources("commands"):
        for module, names in imports(path):
            assert not (first(module) == "flask" and names & OF_A_REQUEST), path


# A company's own database as a destination is not ours.
OTHER_DATABASES = {ROOT / "destinations" / "types" / "sql.py", ROOT / "destinations" / "database" / "tables.py"}


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "models"])
def test_only_models_begin_and_commit(room: str) -> None:
    for path in set(sources(room)) - OTHER_DATABASES:
        for node in parsed(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in {"commit", "begin", "begin_nested", "rollback"}, f"{path}:{node.lineno}"


@pytest.mark.parametrize("room", [room for room in ROOMS if room not in {"config", "commands", "server"}])
def test_only_config_reads_the_environment(room: str) -> None:
    for path in sources(room):
        for node in parsed(path):
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
                assert ast.unparse(node) == "request.environ", f"{path}:{node.lineno}"  # a call's, not the process's


def test_what_is_asked_in_models_is_asked_by_two_rooms() -> None:
    """A folder of the blueprints counts as a room, because none imports another."""
    asked: dict[str, set[str]] = {path.stem: set() for path in (ROOT / "models" / "queries").glob("[a-z]*.py")}
    for room in ROOMS:
        for path in sources(room):
            place = "/".join(path.relative_to(ROOT).parts[: 2 if room == "blueprints" else 1])
            for module, names in imports(path):
                for query in asked.keys() & {*names, module.rpartition(".")[2]}:
                    if module in {"models.queries", f"models.queries.{query}"}:
                        asked[query].add(place)
    assert not {query: rooms for query, rooms in asked.items() if len(rooms) < 2}


def test_rows_are_claimed_by_one_protocol() -> None:
    for room in ROOMS:
        for path in set(sources(room)) - {ROOT / "models" / "claims.py"}:
            assert "claimed_until IS NULL" not in path.read_text(), f"{path} has a protocol of its own"


@pytest.mark.parametrize("room", ROOMS)
def test_no_file_is_longer_than_a_sitting(room: str) -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in sources(room)}
    assert {str(path.relative_to(ROOT)): lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


@pytest.mark.parametrize("room", ROOMS)
def test_what_belongs_together_is_handed_on_as_one_thing(room: str) -> None:
    """More parameters by place than anybody can keep in order want an object."""
    for path in sources(room):
        for node in parsed(path):
            if isinstance(node, ast.FunctionDef):
                names = {one.arg for one in (*node.args.posonlyargs, *node.args.args)} - {"self", "cls"}
                assert len(names) <= MOST_PARAMETERS, f"{path}:{node.lineno} {node.name}"


def test_no_room_has_a_name_that_says_nothing() -> None:
    folders = [ROOT / folder for folder in [*ROOMS, "tests", "benchmarks", "templates", "static"]]
    named = {part for folder in folders for path in folder.rglob("*") for part in (path.stem.lower().lstrip("_"),)}
    assert not named & NAMES_OF_NO_ROOM


def test_no_expression_of_a_template_is_longer_than_a_line() -> None:
    expression = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
    for path in (ROOT / "templates").rglob("*.html"):
        for found in expression.findall(path.read_text()):
            assert max(map(len, found.split("\n"))) <= LINE, f"{path}: {found}"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[object]:
    app = create_app(settings_for(tmp_path))
    yield app
    app.extensions["runtime"].database.dispose()


def test_every_blueprint_has_its_guard_first(app) -> None:
    for name in app.blueprints:
        guard = app.before_request_funcs[name][0]
        assert guard.__module__.startswith("security."), f"{name} is opened by {guard.__name__}"


def test_a_route_without_sign_in_is_on_the_list(app) -> None:
    for rule in app.url_map.iter_rules():
        blueprint = rule.endpoint.rpartition(".")[0]
        guards = app.before_request_funcs.get(blueprint, [])
        is_open = not guards or guards[0].__name__ in {"anyone", "visitor"}
        assert is_open == (rule.endpoint in OPEN), rule.endpoint


def test_every_other_route_for_machines_answers_401_to_a_stranger(make_relay) -> None:
    """Those for people are walked in tests/dashboard/test_routes.py."""
    relay, asked = make_relay(sign_in_failure_limit="1000 per minute"), 0
    for rule in relay.app.url_map.iter_rules():
        if rule.endpoint in OPEN or rule.endpoint.startswith(("dashboard.", "outbound.")):
            continue
        path = rule.build(dict.fromkeys(rule.arguments, 1), append_unknown=False)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            asked += 1
            assert relay.client.open(path[1], method=method).status_code == 401, rule.endpoint
    assert asked > 5
