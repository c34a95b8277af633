"""A refused request on its failure's page: masked, revealed to an admin, tried again, copied."""

import json
from functools import partial

import pytest
import requests

from config.clock import now
from security import connections
from tests.browser import chromium, demo
from tests.failing.server import Server
from tests.relay import basic, body, member

ADA = member("ada-1", email="ada@example.org")


@pytest.fixture(scope="module")
def failure(sending: Server) -> str:
    """A call with an impossible page number; the address of its failure."""
    app = demo.app_of(sending)
    runtime = app.extensions["runtime"]
    add = partial(connections.add, key=runtime.settings.secret_key, name="refusing", now=now())
    password = runtime.database.write(add)
    runtime.database.dispose()
    url = f"{sending.url}/webhooks/mixpanel/refusing"
    asked = json.dumps(body("members", [ADA], 0, 10))
    assert requests.post(url, data=asked, headers=basic("refusing", password), timeout=10).status_code == 400
    return f"{sending.url}/failures"


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def page(request: pytest.FixtureRequest, running, sending: Server):
    context = chromium.context_of(running, java_script_enabled=request.param)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    chromium.sign_in(context, sending.url, demo.email_of("admin"), demo.PASSWORD)
    one = context.new_page()
    one.live = request.param
    yield one
    context.close()


def test_a_refused_request_is_masked_revealed_tried_and_copied(page, failure: str) -> None:
    page.goto(failure)
    page.get_by_role("link", name="An impossible page number").first.click()
    tree = page.locator(".tree")
    tree.get_by_text("page_count").wait_for()
    assert "ada" not in tree.inner_text()
    page.get_by_role("button", name="Try it again without changing anything").click()
    page.get_by_text("Today it would be refused as well").wait_for()
    page.get_by_role("button", name="Reveal member data").click()
    page.get_by_text("Member data is shown for five minutes").wait_for()
    assert "ada@example.org" in tree.inner_text()
    page.get_by_text("Headers, and the call as curl").click()
    if page.live:
        page.get_by_role("button", name="Copy as curl").click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert "$WEBHOOK_PASSWORD" in copied
        assert "ada@example.org" in copied
