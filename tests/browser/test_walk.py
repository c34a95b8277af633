"""An operator's first hour, in a real browser on a real server: from the printed code to signing out."""

import csv
import io
import json
import re
import subprocess
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from tests.browser import chromium, demo, places
from tests.browser.watch import Watched
from tests.failing.server import BIN, ROOT, Server
from tests.relay import basic

EMAIL, PASSWORD = "ada@example.org", "correct horse battery"
SIMULATE = ("simulate", "--username", "crm", "--cohorts", "1", "--people", "3000", "--page-size", "50")
BAD = {"mixpanel_cohort_id": "9", "members": [], "page_info": {"total_pages": 10, "page_count": 0}}


def flask(server: Server, *arguments: str) -> str:
    command = [BIN / "flask", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=server.environment, check=True, capture_output=True, text=True)
    return done.stdout


class Walk:
    """One operator at one browser."""

    def __init__(self, server: Server, page: Page) -> None:
        self.server, self.page = server, page
        self.token = json.loads(flask(server, "tokens", "add", "walk", "--json"))["token"]

    def goes_to(self, word: str) -> None:
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name=word, exact=True).click()

    def signs_up(self) -> None:
        """With the code that the server wrote on its console."""
        log = (self.server.instance / "server.log").read_text()
        code = re.search(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}", log)
        assert code is not None, log
        self.page.goto(self.server.url)
        self.page.get_by_label("Code").fill(code.group())
        self.page.get_by_label("E-mail").fill(EMAIL)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Create the operator").click()
        expect(self.page.get_by_role("navigation", name="Main")).to_be_visible()

    def makes_a_connection(self) -> tuple[str, Locator]:
        """Returns its password, shown this once, and the light that waits for the first call."""
        self.goes_to("Connections")
        self.page.get_by_role("link", name="Create a connection").first.click()
        self.page.get_by_label("Name").fill("crm")
        self.page.get_by_role("button", name="Create the connection").click()
        light = self.page.locator("#waiting")
        expect(light).to_contain_text("Waiting for the first call")
        return self.shown_password(), light

    def shown_password(self) -> str:
        found = self.page.locator("[data-password] code").inner_text()
        assert len(found) == 43
        return found

    def lets_mixpanel_export(self, password: str, light: Locator) -> None:
        """A simulated export arrives; the light turns green by itself, and the session's numbers come to rest."""
        command = [BIN / "flask", *SIMULATE, "--password", password, "--cycles", "2", "--seed", "walk"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, cwd=ROOT, env=self.server.environment, **quiet) as export:
            expect(light).to_contain_text("Received", timeout=60_000)
            assert export.wait(120) == 0

    def opens_the_cohort(self) -> None:
        self.goes_to("Cohorts")
        self.page.locator("main tbody a").first.click()
        expect(self.page.locator("main")).to_contain_text("In step")

    def finds_by_email(self, member: dict[str, Any]) -> None:
        self.page.locator("main form[method=post] input[name=q]").fill(member["email"])
        self.page.keyboard.press("Enter")
        self.page.locator("main tbody a").first.click()
        expect(self.page.locator("main")).to_contain_text(member["email"])
        expect(self.page.locator(".timeline")).to_contain_text("Entered")
        assert member["email"] not in self.page.url

    def downloads_the_csv(self) -> list[dict[str, str]]:
        self.page.locator("main details.menu", has_text="Export").locator("summary").click()
        with self.page.expect_download() as waiting:
            self.page.get_by_role("link", name="CSV").click()
        return list(csv.DictReader(io.StringIO(waiting.value.path().read_text("utf-8-sig"))))

    def rotates(self) -> str:
        self.goes_to("Connections")
        self.page.locator("main").get_by_role("link", name="crm").first.click()
        self.page.get_by_role("button", name="Rotate").click()
        return self.shown_password()

    def signs_out(self) -> None:
        self.page.locator("details.menu summary", has_text=EMAIL).click()
        self.page.get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_role("button", name="Sign in")).to_be_visible()

    # --- what others do meanwhile

    def members(self) -> list[dict[str, Any]]:
        """What the JSON API says of the one cohort."""
        bearer = {"Authorization": f"Bearer {self.token}"}
        root = f"{self.server.url}/api/v1"
        (cohort,) = requests.get(f"{root}/cohorts", headers=bearer, timeout=30).json()["data"]
        path = f"{root}/projects/{cohort['project_id']}/cohorts/{cohort['cohort_id']}/members.ndjson"
        return [json.loads(line) for line in requests.get(path, headers=bearer, timeout=60).text.splitlines()]

    def call(self, password: str, parameters: dict[str, Any]) -> int:
        """Mixpanel calls; returns the status."""
        body = {"action": "add_members", "parameters": parameters}
        url = f"{self.server.url}/webhooks/mixpanel/crm"
        return requests.post(url, json=body, headers=basic("crm", password), timeout=30).status_code


@pytest.mark.slow
def test_an_operators_first_hour(running: Watched, empty: Server) -> None:
    context = chromium.context_of(running, accept_downloads=True)
    walk = Walk(empty, context.new_page())
    walk.signs_up()
    password, light = walk.makes_a_connection()
    walk.lets_mixpanel_export(password, light)

    walk.opens_the_cohort()
    members = walk.members()
    walk.finds_by_email(members[0])
    walk.opens_the_cohort()
    assert {row["distinct_id"] for row in walk.downloads_the_csv()} == {one["distinct_id"] for one in members}

    assert walk.call(password, BAD) == 400
    walk.goes_to("Failures")
    walk.page.locator("main tbody a").first.click()
    expect(walk.page.locator("main")).to_contain_text("page_count must be between 1 and total_pages (10), got 0")
    expect(walk.page.locator("main")).to_contain_text("paused")

    second = walk.rotates()
    assert [walk.call(one, {"mixpanel_cohort_id": "9", "members": []}) for one in (password, second)] == [200, 200]
    walk.signs_out()
    walk.page.goto(f"{empty.url}/cohorts")
    assert "/sign-in" in walk.page.url
    context.close()


def test_a_sessions_progress_moves_without_a_reload_and_ends_by_itself(running: Watched, empty: Server) -> None:
    empty.prepare("crm")
    flask_operator(empty)
    context = chromium.context_of(running)
    chromium.sign_in(context, empty.url, EMAIL, PASSWORD)
    page = context.new_page()
    send(empty, 1)
    page.goto(f"{empty.url}/sessions")
    page.locator("main tbody a").first.click()
    expect(page.locator("main")).to_contain_text("1 of 3")
    page.evaluate("window.unchanged = true")
    send(empty, 2)
    expect(page.locator("main")).to_contain_text("2 of 3")
    send(empty, 3)
    expect(page.locator("main")).to_contain_text("Complete")
    expect(page.locator("[hx-trigger^=every]")).to_have_count(0)
    assert page.evaluate("window.unchanged") is True
    context.close()


def test_every_page_reads_without_javascript(running: Watched, shown: Server, expects) -> None:
    expects("status of 403")  # what is an admin's alone
    app = demo.app_of(shown)
    context = chromium.context_of(running, java_script_enabled=False)
    chromium.sign_in(context, shown.url, demo.email_of("operator"), demo.PASSWORD)
    page = context.new_page()
    for path in places.whole_pages(app):
        if chromium.opens(page, shown.url + path):
            expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(f"{shown.url}/cohorts")
    page.locator("main tbody a").first.click()
    chart = page.locator("figure.chart").first
    chart.locator("summary").click()
    expect(chart.locator("tbody tr").first).to_be_visible()
    app.extensions["runtime"].database.dispose()
    context.close()


def flask_operator(server: Server) -> None:
    command = [BIN / "flask", "operators", "add", EMAIL, "--role", "admin", "--password-stdin"]
    subprocess.run(command, cwd=ROOT, env=server.environment, check=True, capture_output=True, input=PASSWORD.encode())


def send(server: Server, page: int) -> None:
    members = [{"mixpanel_distinct_id": f"p{page}-{number}"} for number in range(10)]
    parameters = {
        "mixpanel_project_id": "1",
        "mixpanel_cohort_id": "7",
        "mixpanel_cohort_name": "Paying users",
        "mixpanel_session_id": "s1",
        "page_info": {"total_pages": 3, "page_count": page},
        "members": members,
    }
    answer = requests.post(
        f"{server.url}/webhooks/mixpanel/crm",
        json={"action": "members", "parameters": parameters},
        headers=basic("crm", server.passwords["crm"]),
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
