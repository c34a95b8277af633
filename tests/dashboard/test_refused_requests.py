"""The request of a failure: what is kept of it, who sees its members, and what would become of it today."""

import json

import pytest
from sqlalchemy import text

from blueprints.dashboard import request_tree
from security import refused_requests
from security.encryption import Cipher
from tests.relay import MINUTE, Browser, Relay, body, member
from tests.sync.statements import watched

ADA = member("ada-1", email="ada@example.org", first_name="Ada")


def refuse(relay: Relay) -> str:
    """A page with an impossible number; the path of its failure."""
    relay.post_raw(
        json.dumps(body("members", [ADA], 0, 10)),
        {"Cookie": "session=planted-cookie", "X-Api-Key": "planted-key", "User-Agent": "Mixpanel"},
    )
    return last(relay)


def last(relay: Relay) -> str:
    return f"/failures/{relay.failures()[-1]['id']}"


def kept(relay: Relay) -> list[refused_requests.RefusedRequest]:
    cipher = relay.app.extensions["runtime"].cipher
    rows = relay.rows("SELECT sealed FROM refused_request ORDER BY failure_id")
    found = [refused_requests.unseal(cipher, bytes(row["sealed"])) for row in rows]
    return [one for one in found if one is not None]


def test_a_refused_request_is_kept_without_what_opens_a_door(relay: Relay) -> None:
    refuse(relay)
    (one,) = kept(relay)
    assert json.loads(one.body)["parameters"]["members"] == [ADA]
    assert ("User-Agent", "Mixpanel") in one.headers
    assert one.path == "/webhooks/mixpanel/crm"
    written = str(one.headers)
    assert not any(word in written for word in ("planted-cookie", "planted-key", relay.password, "Basic"))


def test_it_is_sealed_in_the_database(relay: Relay) -> None:
    refuse(relay)
    sealed = bytes(relay.rows("SELECT sealed FROM refused_request")[0]["sealed"])
    assert b"ada" not in sealed
    assert refused_requests.unseal(Cipher("another key"), sealed) is None


def test_a_stranger_leaves_no_request(relay: Relay) -> None:
    relay.post_raw(json.dumps(body("members", [ADA])), {"Authorization": "Basic bm9ib2R5OndyaXRl"})
    relay.post_raw("{}", path="/webhooks/mixpanel/crm/nowhere")
    assert len(relay.failures()) == 2
    assert kept(relay) == []


def test_a_page_that_is_applied_keeps_and_writes_nothing_more(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    with watched(relay) as statements:
        relay.refresh(["A"], session="second")
    assert not any("refused_request" in statement for statement in statements)
    assert kept(relay) == []


def test_of_a_long_body_the_beginning_is_kept(relay: Relay) -> None:
    relay.post_raw("x" * (refused_requests.MOST_BYTES + 1))
    (one,) = kept(relay)
    assert (len(one.body), one.size, one.is_whole) == (
        refused_requests.MOST_BYTES,
        refused_requests.MOST_BYTES + 1,
        False,
    )


def test_it_goes_with_its_failure(relay: Relay) -> None:
    refuse(relay)
    relay.database.write(lambda db: db.execute(text("DELETE FROM failure")))
    assert kept(relay) == []


def test_members_are_masked_and_what_names_the_page_is_not(relay: Relay) -> None:
    path = refuse(relay)
    html = relay.sign_in("operator").page(path)
    assert '<code>page_count</code>: <code class="value">0</code>' in html
    assert "email</code>" in html
    assert "<code>••••</code>" not in html
    assert "text, 15 characters" in html
    assert not any(word in html for word in ("ada@example.org", "ada-1", "Ada&#34;"))
    assert "$WEBHOOK_PASSWORD" in html


def test_an_admin_reveals_members_and_the_audit_trail_says_so(relay: Relay) -> None:
    path = refuse(relay)
    admin = relay.sign_in("admin")
    answer = admin.post(f"{path}/reveal")
    shown = admin.page(answer.location)
    assert "ada@example.org" in shown
    assert "Member data is shown for five minutes" in shown
    assert "ada@example.org" not in admin.page(path)
    (entry,) = relay.rows("SELECT who, subject FROM audit_entry WHERE action = 'failure.reveal'")
    assert (entry["who"], entry["subject"]) == ("admin@example.org", f"failure {path.rpartition('/')[2]}")
    relay.clock.forward(6 * MINUTE)
    assert "ada@example.org" not in admin.page(answer.location)


def test_nobody_else_reveals_or_follows_an_admins_link(relay: Relay) -> None:
    path = refuse(relay)
    link = relay.sign_in("admin").post(f"{path}/reveal").location
    operator = relay.sign_in("operator")
    assert operator.post(f"{path}/reveal").status_code == 403
    assert "ada@example.org" not in operator.page(link)
    assert "Reveal" not in operator.page(path)


def tried(browser: Browser, path: str) -> str:
    return browser.submit(f"{path}/try").text


def test_a_request_that_would_be_accepted_today_says_so_and_changes_nothing(relay: Relay) -> None:
    relay.refresh(["A"], session="before")
    relay.database.write(lambda db: db.execute(text("UPDATE connection SET projects = '[\"none\"]'")))
    relay.post("add_members", [ADA, "A"], session="refused")
    path, before = last(relay), relay.rows("SELECT * FROM cohort")
    browser = relay.sign_in("operator")
    assert "may still not write this project" in tried(browser, path)
    relay.database.write(lambda db: db.execute(text("UPDATE connection SET projects = NULL")))
    assert "Today this would be accepted: 2 members, 1 entering and 0 leaving." in tried(browser, path)
    assert relay.rows("SELECT * FROM cohort") == before
    assert relay.members() == {"A"}
    relay.add([ADA, "A"], session="refused")
    assert "it has come before, so it changes nothing" in tried(browser, path)


def test_a_request_that_would_still_be_refused_says_why(relay: Relay) -> None:
    path = refuse(relay)
    browser = relay.sign_in("operator")
    assert "Today it would be refused as well:" in tried(browser, path)
    relay.database.write(lambda db: db.execute(text("UPDATE connection SET enabled = :no"), {"no": False}))
    assert "is switched off" in tried(browser, path)


def test_what_is_not_whole_or_not_there_is_not_tried(relay: Relay) -> None:
    relay.post_raw("x" * (refused_requests.MOST_BYTES + 1))
    browser = relay.sign_in("operator")
    assert "Only the beginning of its body is kept" in tried(browser, last(relay))
    relay.database.write(lambda db: db.execute(text("DELETE FROM refused_request")))
    assert browser.post(f"{last(relay)}/try").status_code == 404


def test_a_failure_that_is_over_says_so_in_one_box(relay: Relay) -> None:
    path = refuse(relay)
    browser = relay.sign_in("viewer")
    assert "What Mixpanel does next" in browser.page(path)
    relay.clock.forward(MINUTE)
    relay.refresh(["A"], session="after")
    card = browser.page(path).split('aria-labelledby="next"')[1].split("</section>")[0]
    assert "Probably over" in card
    assert card.count('class="note') == 1


@pytest.mark.parametrize(
    "content", [b'{"members": ["ada-1"', b"ada-1,ada@example.org", b'{"members": "ada-1"}', b'"ada-1"']
)
def test_what_is_not_as_it_should_be_is_masked_too(content: bytes) -> None:
    shown = request_tree.shown(content, reveals=False)
    assert "ada" not in str(shown)
    assert "ada-1" in str(request_tree.shown(content, reveals=True))


def test_members_under_their_ids_and_fields_beside_the_page_are_masked() -> None:
    odd = {"action": "members", "ada@example.org": 1, "parameters": {"members": {"ada-1": {"plan": "pro"}, "2": "bob"}}}
    shown = str(request_tree.shown(json.dumps(odd).encode(), reveals=False))
    assert not any(word in shown for word in ("ada", "'pro", '"pro', "bob"))
    assert "plan" in shown
    assert "members" in shown


def test_a_tree_of_many_members_is_short() -> None:
    many = {"parameters": {"members": [member(f"id-{number}") for number in range(1000)]}}
    shown = request_tree.shown(json.dumps(many).encode(), reveals=False)
    assert shown.tree is not None
    assert shown.tree.inner[0].inner[0].more >= 980
    assert len(str(shown)) < 100_000
