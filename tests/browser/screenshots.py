"""`make screenshots`: every page, wide and phone-wide, light and dark, into screenshots/ (not in git)."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from tests.browser import chromium, demo, places
from tests.failing.server import Server
from tests.played_demo import play

FOLDER = Path(__file__).resolve().parents[2] / "screenshots"


def take(folder: Path = FOLDER) -> int:
    """Take them all; returns how many."""
    folder.mkdir(exist_ok=True)
    found = chromium.path()
    if found is None:
        raise SystemExit("Chromium is missing; install Debian's package chromium.")
    taken = 0
    with served() as server, chromium.browser(found) as running:
        app = demo.app_of(server)
        for phone, dark in product((False, True), repeat=2):
            taken += _pages(running, server.url, app, folder, phone=phone, dark=dark)
        app.extensions["runtime"].database.dispose()
        with tempfile.TemporaryDirectory() as empty, demo.untouched(Path(empty)) as fresh:
            taken += _first_page(running, fresh.url, folder)
    return taken


@contextmanager
def served() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as folder:
        play(Path(made))
        demo.fill(Path(made))
        with demo.served(Path(made), Path(folder)) as server:
            yield server


def _first_page(running, url: str, folder: Path) -> int:
    """What whoever starts a new relay sees; it is gone as soon as there is an operator."""
    for phone, dark in product((False, True), repeat=2):
        context = chromium.context_of(running, phone=phone, dark=dark)
        _shoot(context.new_page(), url, ["/sign-up"], folder, _kind(phone=phone, dark=dark))
        context.close()
    return 4


def _kind(*, phone: bool, dark: bool) -> str:
    return f"{'phone' if phone else 'wide'}-{'dark' if dark else 'light'}"


def _pages(running, url: str, app, folder: Path, *, phone: bool, dark: bool) -> int:
    context = chromium.context_of(running, phone=phone, dark=dark)
    page = context.new_page()
    kind = _kind(phone=phone, dark=dark)
    paths = places.whole_pages(app, signed_in=False)
    _shoot(page, url, paths, folder, kind)
    chromium.sign_in(context, url, demo.email_of("admin"), demo.PASSWORD)
    paths_within = places.whole_pages(app)
    _shoot(page, url, paths_within, folder, kind)
    context.close()
    return len(paths) + len(paths_within)


def _shoot(page, url: str, paths: list[str], folder: Path, kind: str) -> None:
    for path in paths:
        if not chromium.opens(page, url + path):
            continue
        name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-") or "overview"
        page.screenshot(path=folder / f"{name}-{kind}.png", full_page=True)


if __name__ == "__main__":
    print(f"{take()} screenshots in {FOLDER.name}/")
