"""What buttons and pages say: what is done, in the words that everybody uses for it."""

import re
from pathlib import Path

import pytest

from blueprints.dashboard.audit import in_words
from sync.status import remedies
from tests.relay import Relay

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
UNCLEAR = re.compile(r">\s*(?:Look|Keep|Leave it [a-z]+|Make [^<]*)</(?:a|button)>|answers? to|taken since")


def test_no_button_says_make_look_keep_or_leave_it() -> None:
    pages = [*TEMPLATES.glob("*.html"), *(TEMPLATES / "dashboard").rglob("*.html")]
    assert len(pages) > 50
    assert {path.name: found for path in pages if (found := UNCLEAR.findall(path.read_text()))} == {}


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("operator.sign_in", "Operator signed in"),
        ("cohort.export", "Cohort exported"),
        ("connection.disable", "Connection switched off"),
        ("import.carry_on", "Import: carry on"),
    ],
)
def test_the_audit_trail_says_what_was_done(action: str, said: str) -> None:
    assert in_words(action) == said


def test_what_only_mixpanel_can_mend_is_said_to_be_so() -> None:
    assert remedies.ASK_MIXPANEL in remedies.after(400, "impossible_page").steps
    assert remedies.ASK_MIXPANEL not in remedies.after(401, "wrong_credentials").steps


def test_whoever_never_signed_in_is_said_to_have_never(relay: Relay) -> None:
    browser = relay.sign_in("admin")
    browser.post(
        "/settings/operators", {"email": "bob@example.org", "role": "viewer", "password": "correct horse battery"}
    )
    page = browser.page("/settings/operators")
    paths = re.findall(r'href="(/settings/operators/\d+)"', page)
    pages = [browser.page(f"{path}/remove") for path in paths]
    assert any("have never signed in" in one for one in pages)
    assert not any("signed in never" in one for one in pages)
