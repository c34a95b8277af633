"""The documents tell the truth: README's commands do what it says, tables equal the code, links lead somewhere."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.settings_table import SETTINGS
from tests.failing.server import BIN, FLASK_SERVE, Server, free_port
from tests.test_limits import defined_in

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

BLOCK = re.compile(r"<!-- (tested|prints) -->\n```\w+\n(.*?)\n```", re.DOTALL)
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TOOK = re.compile(r"\(\d+ ms")
END = "--- end of block ---"


@dataclass(frozen=True)
class Example:
    """A block that a reader pastes, and what the README says it prints."""

    commands: str
    prints: str


def examples(document: str) -> list[Example]:
    """Every tested block with the printed block that follows it."""
    blocks = BLOCK.findall(document)
    followed = zip(blocks, [*blocks[1:], ("tested", "")], strict=True)
    return [
        Example(code, after if kind == "prints" else "")
        for (first, code), (kind, after) in followed
        if first == "tested"
    ]


def pasted(commands: str, url: str) -> str:
    """The commands as they are, but for this server's address and this Python's folder."""
    return commands.replace("http://127.0.0.1:8000", url).replace(".venv/bin/", f"{Path(sys.executable).parent}/")


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    """A fresh instance, to be served as `make run` does it."""
    server = Server(tmp_path, f"sqlite:///{tmp_path}/cohort-relay.db", FLASK_SERVE)
    server.prepare()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def mixpanel(server: Server) -> Iterator[str]:
    """The address of a stand-in, started as the document says."""
    port = free_port()
    command = [BIN / "flask", "stand-in", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=server.environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Standing in")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def test_what_the_readme_says_to_paste_prints_what_it_says(server):
    server.start()
    server.wait_ready()
    assert_it_prints(README, server)


def test_what_sending_says_to_paste_prints_what_it_says(server, mixpanel):
    server.more["MIXPANEL_BASE_URL"] = mixpanel
    server.start()
    server.wait_ready()
    assert_it_prints(ROOT / "docs" / "sending.md", server)


def assert_it_prints(document: Path, server: Server) -> None:
    """Paste everything that the document says to paste, and compare."""
    wanted = examples(document.read_text())
    script = "".join(f"{pasted(one.commands, server.url)}\necho; echo '{END}'\n" for one in wanted)
    run = subprocess.run(
        ["bash", "-eu"],
        input=script,
        env=server.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    printed = [steady(part.strip()) for part in run.stdout.split(END)[:-1]]
    assert printed == [steady(pasted(one.prints, server.url)) for one in wanted]


def steady(text: str) -> str:
    """Without what differs each time."""
    return TOOK.sub("(N ms", TIME.sub("TIME", text))


def test_every_fault_in_the_table_of_faults_names_tests_that_are_there():
    text = (ROOT / "docs" / "operating.md").read_text()
    table = text.partition("## When a part fails")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 18
    for row in rows:
        *_, shown_by = row.strip("| ").split(" | ")
        named = re.findall(r"`([\w/.]+)::(\w+)`", shown_by)
        assert named or shown_by == "the same", row
        for file, name in named:
            assert name in defined_in(ROOT / file), row


def test_the_documents_have_commands_to_paste():
    assert len(examples(README.read_text())) == 6
    assert len(examples((ROOT / "docs" / "sending.md").read_text())) == 6


def test_the_settings_table_equals_the_settings():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*) \|$", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    assert rows == [(one.name, f"`{one.default}`" if one.default else "", one.help) for one in SETTINGS]


def test_every_library_has_its_line():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    browser = json.loads((ROOT / "package.json").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *browser["dependencies"],
        *browser["devDependencies"],
        *project["dependency-groups"]["dev"],
    ]
    listed = re.findall(r"^\| ([a-z0-9@/.-]+) \| \S", (ROOT / "docs" / "libraries.md").read_text(), re.MULTILINE)
    named = [name for name in listed if name not in {"library", "package"}]
    assert named == [re.match(r"[a-z0-9@/.-]+", one)[0] for one in wanted]


def test_every_sync_rule_has_its_section():
    found = re.findall(r"^## (S\d+) ", (ROOT / "docs" / "sync-rules.md").read_text(), re.MULTILINE)
    assert found == [f"S{number}" for number in range(1, 15)]


def test_the_changelog_knows_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    heading = "Unreleased" if ".dev" in version else version
    assert f"\n## {heading}\n" in (ROOT / "CHANGELOG.md").read_text()


def anchors(document: Path) -> set[str]:
    """The anchors that a forge makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document):
    for target in LINK.findall(document.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.is_file(), target
        assert not anchor or anchor in anchors(found), target


def test_the_readme_leads_to_every_document():
    linked = {(ROOT / target).resolve() for target in LINK.findall(README.read_text()) if "://" not in target}
    assert {path for path in DOCUMENTS if path != README} - linked == set()


def test_no_file_names_a_folder_of_somebodys_machine():
    folders = re.compile("/" + "(work|home|root|Users)/")
    kinds = {".py", ".md", ".html", ".css", ".svg", ".toml", ".txt", ".ini", ".mako", ".yml", ""}
    ours = [path for path in ROOT.rglob("*") if path.suffix in kinds and not hidden(path)]
    named = [path for path in ours if path.is_file() and folders.search(path.read_text(errors="ignore"))]
    assert named == []


def hidden(path: Path) -> bool:
    """Whether the path is no file of the project: the environment, caches, the instance, git's own."""
    first = path.relative_to(ROOT).parts[0]
    return first in {"instance", "node_modules"} or (first.startswith(".") and first != ".ci")


CITED = re.compile(r"mixpanel-facts ((?:\d+(?:\.\d+)?(?:, | and | to |-))*\d+(?:\.\d+)?)")
HEADING = re.compile(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", re.MULTILINE)


def test_every_fact_that_code_and_tests_cite_is_written_down():
    """`mixpanel-facts 6, 9` is row 9 of section 6."""
    facts = (ROOT / "docs" / "mixpanel-facts.md").read_text()
    known = set(HEADING.findall(facts)) | set(re.findall(r"^\| (\d+) \|", facts, re.MULTILINE))
    cited = {
        number
        for path in [
            path for path in ROOT.rglob("*.py") if not path.relative_to(ROOT).parts[0].startswith((".", "node"))
        ]
        for group in CITED.findall(path.read_text())
        for number in re.findall(r"\d+(?:\.\d+)?", group)
    }
    assert len(cited) > 20
    assert not cited - known


def test_every_pitfall_that_a_test_names_is_written_down():
    from tests.webhook.test_pitfalls_are_covered import PITFALLS

    known = {
        f"p{number}"
        for number in re.findall(r"^\| P(\d+) \|", (ROOT / "docs" / "pitfalls.md").read_text(), re.MULTILINE)
    }
    assert set(PITFALLS) <= known
