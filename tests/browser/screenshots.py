"""`make screenshots`: every page, and each row of what a review asked for (tests/browser/review.py), wide and
phone-wide, light and dark, into screenshots/ (not in git). With `BEFORE=<revision>` the rows once more as that revision
shows them, beside them as …-before.png, where it has such a page."""

import argparse
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from tests.browser import chromium, demo, places, review
from tests.failing.server import ROOT, Server
from tests.played_demo import play

FOLDER = ROOT / "screenshots"
SHORT = 2_000  # milliseconds; nobody waits longer for what another revision does not have
# What shows what has to be set up first: ways to sign in, a new password by mail, and (below) backups.
SETTINGS = {
    "OIDC_ISSUER": "https://login.example.com",
    "OIDC_CLIENT_ID": "cohort-relay",
    "OIDC_CLIENT_SECRET": "a-secret-of-the-provider",
    "OIDC_NAME": "Example Inc.",
    "OIDC_ROLES": "staff=viewer",
    "SMTP_URL": "smtp://127.0.0.1:1025",
    "PUBLIC_URL": "http://localhost:8000",
}
STRANGERS = ["/sign-in", "/sign-in/forgotten", "/sign-in/forgotten/sent"]
EMPTY = ["/", "/cohorts", "/sessions", "/failures", "/connections", "/destinations", "/send", "/send/history"]

# Run in a worktree of another revision, by whose own words its demo is made and served.
FORMER = """
import sys, tempfile
from pathlib import Path
from tests.browser import demo, screenshots
made = tempfile.TemporaryDirectory()
with (screenshots.served() if hasattr(screenshots, "served") else demo.served(Path(made.name))) as server:
    print(server.url, server.instance, flush=True)
    sys.stdin.read()
"""


def take(folder: Path = FOLDER, *, before: str = "", only: str | None = None) -> int:
    """Take them all, or only those of the rows whose names begin with `only`; returns how many."""
    folder.mkdir(exist_ok=True)
    found = chromium.path()
    if found is None:
        raise SystemExit("Chromium is missing; install Debian's package chromium.")
    rows = [row for row in review.ROWS if row.name.startswith(only or "")]
    taken = 0
    with chromium.browser(found) as running:
        with served() as server:
            if only is None:
                taken += _every_page(running, server, folder)
            taken += _rows(running, server.url, server.instance, rows, folder)
        if only is None:
            taken += _first_pages(running, folder)
        if before:
            with former(before) as (url, instance):
                taken += _rows(running, url, instance, rows, folder, before=True)
    return taken


@contextmanager
def served() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as folder:
        play(Path(made))
        demo.fill(Path(made))
        with demo.served(Path(made), Path(folder)) as server:
            yield server


@contextmanager
def former(revision: str) -> Iterator[tuple[str, Path]]:
    """The demo of another revision, served: its address, and its instance folder."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as after:
        tree = Path(name) / "tree"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, revision], cwd=ROOT, check=True)
        after.callback(subprocess.run, ["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)
        shutil.copytree(ROOT / "static" / "vendor", tree / "static" / "vendor")
        environment = os.environ | {"PYTHONPATH": str(tree)}
        command = [sys.executable, "-c", FORMER]
        with subprocess.Popen(
            command, cwd=tree, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            said = process.stdout.readline().split()
            if len(said) != 2:
                raise SystemExit(f"{revision} cannot be served with the packages that are installed now.")
            yield said[0], Path(said[1])
            process.communicate()  # ends its input, at which it ends


def kinds() -> Iterator[tuple[str, dict[str, bool]]]:
    for phone, dark in product((False, True), repeat=2):
        name = f"{'phone' if phone else 'wide'}-{'dark' if dark else 'light'}"
        yield name, {"phone": phone, "dark": dark}


def _every_page(running: Browser, server: Server, folder: Path) -> int:
    app, taken = demo.app_of(server), 0
    without, within = places.whole_pages(app, signed_in=False), places.whole_pages(app)
    app.extensions["runtime"].database.dispose()
    for kind, looks in kinds():
        context = chromium.context_of(running, **looks)
        taken += _shoot(context, server.url, without, folder, kind)
        chromium.sign_in(context, server.url, demo.email_of("admin"), demo.PASSWORD)
        taken += _shoot(context, server.url, within, folder, kind)
        context.close()
    return taken


def _first_pages(running: Browser, folder: Path) -> int:
    """What whoever starts a new relay sees, before there is an operator and afterwards, and how else people sign in."""
    taken = 0
    with (
        tempfile.TemporaryDirectory() as empty,
        demo.untouched(Path(empty), SETTINGS | {"BACKUP_TO": f"{empty}/backups"}) as server,
    ):
        for kind, looks in kinds():
            context = chromium.context_of(running, **looks)
            taken += _shoot(context, server.url, ["/sign-up"], folder, kind)
            context.close()
        app = demo.app_of(server)
        demo.add_operators(app)
        app.extensions["runtime"].database.dispose()
        for kind, looks in kinds():
            context = chromium.context_of(running, **looks)
            taken += _shoot(context, server.url, STRANGERS, folder, kind, "set-up-")
            chromium.sign_in(context, server.url, demo.email_of("admin"), demo.PASSWORD)
            taken += _shoot(context, server.url, EMPTY, folder, kind, "empty-")
            context.close()
    return taken


def _shoot(context: BrowserContext, url: str, paths: list[str], folder: Path, kind: str, begins: str = "") -> int:
    """Whole pages, however long they are."""
    page, taken = context.new_page(), 0
    for path in paths:
        if chromium.opens(page, url + path):
            name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-") or "overview"
            page.screenshot(path=folder / f"{begins}{name}-{kind}.png", full_page=True)
            taken += 1
    return taken


def _rows(
    running: Browser, url: str, instance: Path, rows: list[review.Row], folder: Path, *, before: bool = False
) -> int:
    """What somebody has before their eyes, after the steps of each row."""
    taken = 0
    for kind, looks in kinds():
        for role in sorted({row.role for row in rows}):
            context = chromium.context_of(running, **looks)
            chromium.sign_in(context, url, demo.email_of(role), demo.PASSWORD)
            if before:
                context.set_default_timeout(SHORT)
            for row in (row for row in rows if row.role == role):
                page = context.new_page()
                if bring(page, url, instance, row, before=before):
                    page.screenshot(path=folder / f"{row.name}-{kind}{'-before' if before else ''}.png")
                    taken += 1
                page.close()
            context.close()
    return taken


def bring(page: Page, url: str, instance: Path, row: review.Row, *, before: bool = False) -> bool:
    """Open a row's page and take its steps; what it shows must then be there. Of a revision `before` only the page
    itself must: returns whether it does."""
    path = address(instance, row)
    answer = page.goto(url + path) if path else None
    if before:
        if answer is None or answer.status == 404:
            return False
        with suppress(Error):
            _take_steps(page, row)
        return True
    assert answer is not None, f"{row.name}: nothing in the demo is found for {row.path}"
    _take_steps(page, row)
    expect(page.locator(row.shows).locator("visible=true").first).to_be_visible()
    return True


def _take_steps(page: Page, row: review.Row) -> None:
    for step in row.do:
        step(page)


def address(instance: Path, row: review.Row) -> str | None:
    """A row's path with its ids; None where the instance has nothing of that kind."""
    path = row.path
    with closing(sqlite3.connect(instance / "cohort-relay.db")) as db:
        for name in re.findall(r"{(\w+)}", path):
            found = None
            with suppress(sqlite3.OperationalError):  # a table that this revision does not have
                found = (db.execute(review.IDS[name]).fetchone() or [None])[0]
            if found is None:
                return None
            path = path.replace(f"{{{name}}}", str(found))
    return path


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--before", default="", metavar="REVISION")
    reader.add_argument("--only", metavar="ROW", help="the rows whose names begin with this, and no other page")
    arguments = reader.parse_args()
    print(f"{take(before=arguments.before, only=arguments.only)} screenshots in {FOLDER.name}/")
