"""The audit trail: who changed what, when, with before and after."""

import json
import re

from security.audit import note
from tests.relay import MINUTE, Relay


def write(relay: Relay, who: str = "eve@example.org", action: str = "connection.rotate", **sides) -> None:
    relay.database.write(lambda db: note(db, relay.clock(), who, action, "crm", **sides))


def rows(page: str) -> list[str]:
    return re.findall(r"<tr>(.*?)</tr>", page.split("<tbody>")[1], re.DOTALL)


def test_the_newest_change_comes_first_with_its_exact_time_on_hover(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    write(relay)
    relay.clock.forward(4 * MINUTE)
    write(relay, action="connection.disable")
    first, second, *_ = rows(browser.page("/audit"))
    assert "Connection switched off" in first
    assert "Connection password rotated" in second
    assert 'title="2025-06-15 15:06:40 UTC"' in second
    assert "4 min ago" in second


def test_before_and_after_are_readable(relay: Relay) -> None:
    write(relay, before={"role": "viewer"}, after={"role": "admin", "tags": [1, 2]})
    first = rows(relay.sign_in("viewer").page("/audit?who=eve@example.org"))[0]
    assert "role: <del>viewer</del> → <ins>admin</ins>" in first
    assert "tags: <ins>1, 2</ins>" in first


def test_the_filter_lives_in_the_address(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    write(relay)
    write(relay, who="bob@example.org")
    write(relay, action="connection.disable")
    assert len(rows(browser.page("/audit?who=eve@example.org"))) == 2
    assert len(rows(browser.page("/audit?who=eve@example.org&action=connection.disable"))) == 1
    assert '<option value="connection.disable" selected>' in browser.page("/audit?action=connection.disable")


def test_where_nothing_matches_a_link_clears_the_filter(relay: Relay) -> None:
    page = relay.sign_in("viewer").page("/audit?who=nobody")
    assert "Nothing matches" in page
    assert 'class="button primary" href="/audit"' in page


def test_older_entries_follow_by_key_and_keep_the_filter(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    for _ in range(70):
        write(relay)
    first = browser.page("/audit?who=eve@example.org")
    found = re.search(r'href="(/audit\?before=\d+[^"]*)" rel="next"', first)
    assert found is not None
    second = browser.page(found.group(1).replace("&amp;", "&"))
    assert [len(rows(page)) for page in (first, second)] == [50, 20]
    assert 'rel="next"' not in second


def test_the_export_has_every_entry_and_is_an_admins(relay: Relay) -> None:
    for _ in range(60):
        write(relay, before={"enabled": True}, after={"enabled": False})
    answer = relay.sign_in("admin").get("/audit.ndjson?who=eve@example.org")
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert len(found) == 60
    assert found[0]["id"] > found[-1]["id"]
    assert {key: found[0][key] for key in ("at", "who", "action", "before")} == {
        "at": "2025-06-15T15:06:40.000Z",
        "who": "eve@example.org",
        "action": "connection.rotate",
        "before": {"enabled": True},
    }
    assert relay.sign_in("operator").get("/audit.ndjson").status_code == 403


def test_a_trail_of_many_batches_is_exported_whole(relay: Relay) -> None:
    def many(db) -> None:
        for number in range(2100):
            note(db, relay.clock(), "eve@example.org", "connection.rotate", str(number))

    relay.database.write(many)
    lines = relay.sign_in("admin").get("/audit.ndjson?action=connection.rotate").text.splitlines()
    assert [json.loads(line)["subject"] for line in lines] == [str(number) for number in reversed(range(2100))]


def test_odd_addresses_do_no_harm(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    for query in ("before=x", "before=-1", "before=99999999999999999999999", "who=%00", "action='"):
        assert browser.get(f"/audit?{query}").status_code == 200
