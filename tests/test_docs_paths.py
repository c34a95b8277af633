"""What the documents name is there: files and folders, Python's names, targets of make."""

import importlib
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# The changelog is left out: it names what was there at the time.
DOCUMENTS = sorted(
    {*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/*.md")} - {ROOT / "CHANGELOG.md"}
)
SAYS_COMMANDS = [
    *DOCUMENTS,
    ROOT / ".devcontainer" / "devcontainer.json",
    ROOT / ".pre-commit-config.yaml",
    ROOT / ".ci" / "run",
]

FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
QUOTED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")
# By set-up or at run time, not in git.
MADE = ("instance/", ".venv/", "node_modules/", "static/vendor/", "screenshots/", ".hypothesis/", "dist/", "secrets/")
NO_FILES = {"openapi.json"}  # an answer of the API
TARGET = re.compile(r"(?:^\s*|[\":] ?)(?:[A-Z_]+=\S+ )*make (?:--silent )?([a-z][a-z-]*)", re.MULTILINE)
MODULE = re.compile(r"[a-z_]\w*(?:\.\w+)+")


@cache
def ours() -> list[str]:
    """Every file that git knows, or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [name for name in listed.stdout.split("\n") if name and (ROOT / name).exists()]


@cache
def tops() -> set[str]:
    return {name.split("/")[0] for name in ours()}


@cache
def kinds() -> set[str]:
    """The ends of our files' names, without the dot."""
    return {Path(name).suffix[1:] for name in ours()} - {""}


def named_paths(text: str) -> set[str]:
    """The paths of a document: what is quoted and looks like one of ours, and what a block names below a room."""
    quoted = {word.partition("::")[0] for word in QUOTED.findall(FENCED.sub("", text))}
    folders = "|".join(re.escape(name) for name in sorted(tops()) if (ROOT / name).is_dir())
    in_blocks = re.findall(rf"(?<![\w/.-])(?:{folders})/[\w./*-]*", "".join(FENCED.findall(text)))
    paths = {word for word in quoted if PATH.fullmatch(word) and looks_ours(word)} | {
        one.rstrip(".") for one in in_blocks
    }
    return {path for path in paths - NO_FILES if not path.startswith(MADE)}


def looks_ours(word: str) -> bool:
    first, slash, _rest = word.partition("/")
    _name, dot, kind = word.rpartition(".")
    return word.endswith("/") or bool(dot and kind in kinds()) or bool(slash and first in tops())


def is_there(path: str) -> bool:
    if "*" in path:
        return any(ROOT.glob(path))
    return path in ours() or any(name.startswith(f"{path.rstrip('/')}/") for name in ours())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_that_a_document_names_is_there(document: Path) -> None:
    assert sorted(path for path in named_paths(document.read_text()) if not is_there(path)) == []


def test_paths_are_found_in_sentences_and_blocks_and_what_is_no_path_is_not() -> None:
    text = (
        "`sync/gone.py` `gone.md` `alerts/` `n/a` `GET /gone.py` `instance/.env`\n```text\n  sync/away.py  why\n```\n"
    )
    assert named_paths(text) == {"sync/gone.py", "gone.md", "alerts/", "sync/away.py"}
    assert [is_there(path) for path in ("sync", "sync/", "app.py", "docs/*.md", "sync/gone.py")] == [True] * 4 + [False]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_python_name_that_a_document_names_is_there(document: Path) -> None:
    words = {word for quoted in QUOTED.findall(document.read_text()) for word in quoted.split()}
    names = {word for word in words if MODULE.fullmatch(word) and word.split(".")[0] in tops() and not looks_ours(word)}
    assert sorted(name for name in names if not is_importable(name)) == []


def is_importable(name: str) -> bool:
    """Whether it is a module, or what a module holds."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


@pytest.mark.parametrize("file", SAYS_COMMANDS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_target_of_make_that_is_named_is_there(file: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = file.read_text()
    commands = "\n".join(FENCED.findall(text) + QUOTED.findall(FENCED.sub("", text))) if file.suffix == ".md" else text
    assert set(TARGET.findall(commands)) <= targets
