"""What a release leaves behind: a database that its own code has filled, and what its API answered then.

    git archive v1.2.3 | tar x -C FOLDER
    .venv/bin/python -m tests.failing.releases FOLDER 1.2.3

plays the same small company against the server of that release on SQLite and on PostgreSQL, in the middle of an export,
and writes for each a dump and the answers into `released/`. The people are made up, and the credentials open nothing
but these dumps. 0.1.0 was made from df5a55ac, whose CHANGELOG.md began with it.
"""

import json
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from config.clock import now
from tests import servers
from tests.failing.sender import Body, Sender, export
from tests.failing.server import BIN, FLASK_SERVE, Server, wait_until
from tests.relay import body, member

RELEASED = Path(__file__).parent / "released"
LIST = "/projects/1/cohorts/7"
# What the release is asked, and the code of today after it.
ASKED = (
    *("/cohorts", LIST, f"{LIST}/members", f"{LIST}/members/ada", f"{LIST}/changes?limit=4", "/people/1/ada"),
    *("/people/1/cho", "/projects/1/cohorts/8", "/projects/1/cohorts/8/members", "/sessions", "/sessions/1"),
    *("/failures", "/projects/2/cohorts/9/changes"),
)
PEOPLE = [
    member(
        "ada", email="ada@example.com", first_name="Ada", plan="pro", seats=3, customProperties={"tags": ["a", "ü"]}
    ),
    member("bob", email="bob@example.com", last_name="O'Hara", note="semi;colon\nand a second line", score=1.5),
    member("cho", first_name="조", phone_number="+1 555 0100", vip=True, gone=None, nested={"a": {"b": [1, None]}}),
    *(member(f"p{number:02}", plan="free") for number in range(9)),
]
HALF = list(export("members", [*PEOPLE[:2], member("eva", plan="new"), *PEOPLE[5:]], 3, session="second"))


@dataclass(frozen=True)
class Left:
    """A release's database as SQL, when it was left, what opens it, and what its API had answered."""

    dump: str
    at: int
    password: str
    token: str
    answers: dict[str, Any]

    @classmethod
    def read(cls, version: str, dialect: str) -> "Left":
        return cls(
            (RELEASED / f"{version}.{dialect}.sql").read_text(),
            **json.loads((RELEASED / f"{version}.{dialect}.json").read_text()),
        )

    def write(self, version: str, dialect: str) -> None:
        (RELEASED / f"{version}.{dialect}.sql").write_text(self.dump)
        rest = {name: value for name, value in vars(self).items() if name != "dump"}
        text = json.dumps(rest, ensure_ascii=False).replace(', "/', ',\n"/')  # a line for each answer
        (RELEASED / f"{version}.{dialect}.json").write_text(f"{text}\n")


def versions() -> list[str]:
    return sorted({path.name.removesuffix(".sqlite.sql") for path in RELEASED.glob("*.sqlite.sql")})


def sent_before() -> list[Body]:
    """Everything up to the middle of an export: arrivals, diffs, a second stay, a page that came twice, members who
    cannot be kept, another cohort, and one of another project."""
    first = list(export("members", PEOPLE, 5, session="first"))
    return [
        *first,
        first[1],
        body("remove_members", ["bob", "p00"], session="went"),
        body(
            "add_members",
            [PEOPLE[1], member("dan"), member("undefined"), {"email": "nobody@example.com"}],
            session="came",
        ),
        body("add_members", [], session="beat"),
        body("members", ["ada", "zoë"], cohort="8", name="Trial", session="other"),
        body("members", ["ada"], cohort="9", project="2", session="elsewhere"),
        *HALF[:2],
    ]


def play(server: Server) -> tuple[str, str]:
    """Returns a webhook password and a token."""
    password = _flask(server, "connections", "add", "crm")["password"]
    _flask(server, "connections", "rotate", "crm")
    token = _flask(server, "tokens", "add", "reader")["token"]
    crm = Sender(server.url, "crm", password)
    for page in sent_before():
        crm.deliver(page)
    crm.post({"action": "members", "parameters": {"members": []}})
    Sender(server.url, "crm", "wrong").post(HALF[0])
    return password, token


def dump(url: str) -> str:
    """The whole database as SQL that its own server takes."""
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
            return "\n".join([*file.iterdump(), ""])
    command = ["pg_dump", "--inserts", "--no-owner", "--no-privileges", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return "\n".join(line for line in said.split("\n") if line and not line.startswith(("--", "\\", "SET "))) + "\n"


def leave(root: Path, url: str, folder: Path) -> Left:
    """Fill the database at `url` with the code in `root`."""
    server = Server(folder, url, FLASK_SERVE, root=root)
    subprocess.run([BIN / "flask", "db", "upgrade"], cwd=root, env=server.environment, capture_output=True, check=True)
    server.start()
    try:
        server.wait_ready()
        password, token = play(server)
        wait_until(lambda: len(_ask(server, token, "/failures")["data"]) == 2, 10, "the second failure")
        answers = {path: _ask(server, token, path) for path in ASKED}
        server.stop()
    finally:
        server.close()
    return Left(dump(url), now(), password, token, answers)


def _ask(server: Server, token: str, path: str) -> Any:
    answer = requests.get(f"{server.url}/api/v1{path}", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    answer.raise_for_status()
    return answer.json()


def _flask(server: Server, *words: str) -> Any:
    """What the terminal of the release prints as JSON."""
    command = [BIN / "flask", *words, "--json"]
    done = subprocess.run(command, cwd=server.root, env=server.environment, capture_output=True, check=True)
    return json.loads(done.stdout)


def main(root: Path, version: str) -> None:
    RELEASED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        leave(root, f"sqlite:///{folder}/cohort-relay.db", Path(folder)).write(version, "sqlite")
    with tempfile.TemporaryDirectory() as folder, servers.postgresql_database() as url:
        leave(root, url, Path(folder)).write(version, "postgresql")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
