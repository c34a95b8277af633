"""A hand at a browser that counts what a task costs it: clicks, keys and loads of whole pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page


class Hand:
    """What an operator does, one thing at a time; nothing here waits for luck."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = self.keys = self.loads = 0
        page.on("domcontentloaded", lambda _page: self._note_load())

    def _note_load(self) -> None:
        self.loads += 1

    def button(self, name: str, *, within: Locator | None = None) -> None:
        self.click((within or self.page).get_by_role("button", name=name, exact=True).first)

    def link(self, name: str, *, within: Locator | None = None) -> None:
        self.click((within or self.page.locator("main")).get_by_role("link", name=name).first)

    def click(self, place: Locator) -> None:
        self.clicks += 1
        place.click()

    def types(self, text: str) -> None:
        """Into whatever has the focus."""
        self.keys += len(text)
        self.page.keyboard.type(text)

    def press(self, key: str) -> None:
        self.keys += 1
        self.page.keyboard.press(key)

    def fill(self, label: str, text: str) -> None:
        """Into a field that is gone to by Tab or that has the focus: keys, no click."""
        self.keys += len(text)
        self.page.get_by_label(label).first.fill(text)

    def takes_file(self, field: str, path: Path) -> None:
        self.clicks += 1
        self.page.locator(field).set_input_files(path)

    @contextmanager
    def task(self, *, clicks: int, loads: int) -> Iterator[None]:
        """What happens inside costs no more than this."""
        self.clicks = self.keys = self.loads = 0
        yield
        self.page.wait_for_load_state("load")
        spent = {"clicks": self.clicks, "loads": self.loads}
        assert self.clicks <= clicks, spent
        assert self.loads <= loads, spent
