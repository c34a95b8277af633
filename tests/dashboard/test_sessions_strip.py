"""The strip of a session's pages: each one, what never came, and many in little room."""

from sqlalchemy import text

from tests.dashboard.test_sessions import cells, fill, one, strip
from tests.relay import SECOND, Relay
from tests.sync.statements import watched


def test_the_strip_shows_each_page(relay: Relay) -> None:
    relay.refresh(["A"], 1, 4)
    relay.refresh(["A"], 1, 4)
    relay.refresh(["B"], 3, 4)
    assert strip(relay, relay.sign_in("viewer")) == [
        ("replayed", "Page 1: received, and sent again"),
        ("waiting", "Page 2: waiting"),
        ("received", "Page 3: received"),
        ("waiting", "Page 4: waiting"),
    ]


def test_late_pages_are_told_from_those_that_never_came(relay: Relay) -> None:
    relay.refresh(["A"], 1, 3, session="1")
    relay.refresh(["B"], session="2")
    relay.refresh(["C"], 2, 3, session="1")
    html = relay.sign_in("viewer").page(f"/sessions/{relay.session(1)['id']}")
    expected = ["Page 1: received", "Page 2: late, changed nothing", "Page 3: did not come"]
    assert [words for _, words in cells(html)] == expected


def test_the_page_after_which_a_call_was_refused_is_probably_the_refused_one(relay: Relay) -> None:
    relay.refresh(["A"], 1, 3)
    relay.clock.forward(SECOND)
    assert relay.post("members", ["B"], 9, 3).status_code == 400
    browser = relay.sign_in("viewer")
    assert [state for state, _ in strip(relay, browser)] == ["received", "failed", "waiting"]
    assert "Refused while it ran" in one(relay, browser)
    relay.clock.forward(SECOND)
    relay.refresh(["B"], 2, 3)
    assert [state for state, _ in strip(relay, browser)] == ["received", "received", "waiting"]


def test_pages_without_numbers_are_shown_as_they_came(relay: Relay) -> None:
    relay.refresh(["A"], page=None)
    relay.refresh(["B"], page=None)
    assert [state for state, _ in strip(relay, relay.sign_in("viewer"))] == ["received", "received"]


def test_pruned_pages_are_said_to_be_gone(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2)
    relay.database.write(lambda db: db.execute(text("DELETE FROM sync_page")))
    assert "1 page came. What was kept of each has been removed" in one(relay, relay.sign_in("viewer"))


def test_an_impossible_number_of_pages_costs_nothing(relay: Relay) -> None:
    relay.refresh(["A"], 1, 2**31 - 1)
    assert len(strip(relay, relay.sign_in("viewer"))) == 400


PAGE = text("""
    INSERT INTO sync_page (session_id, page, body_digest, received, entered, left_count, unchanged, rejected, replays,
        applied, seen, rejected_members, received_at)
    VALUES (:session_id, :page, :digest, 1000, 0, 0, 1000, 0, :replays, :applied, :seen, NULL, :at)""")


def long_export(relay: Relay, missing: set[int]) -> None:
    """A refresh of 10,000 pages, some of them missing; every 1,000th was sent again."""
    relay.refresh(["A"], 1, 10_000)
    session_id, at = relay.session()["id"], relay.clock()
    kept = {"session_id": session_id, "digest": b"-", "seen": b"-" * 2500, "applied": True}
    here = [page for page in range(2, 10_001) if page not in missing]
    rows = [kept | {"page": page, "replays": int(page % 1000 == 0), "at": at + page} for page in here]
    count = text("UPDATE sync_session SET pages_received = :count WHERE id = :id")
    relay.database.write(lambda db: db.execute(PAGE, rows))
    relay.database.write(lambda db: db.execute(count, {"count": len(here) + 1, "id": session_id}))


def test_ten_thousand_pages_fit_into_400_cells_and_100_kb(relay: Relay) -> None:
    long_export(relay, missing={31, *range(9_001, 9_101)})
    browser = relay.sign_in("viewer")
    with watched(relay) as statements:
        html = browser.page(f"/sessions/{relay.session()['id']}")
    found = cells(html)
    assert len(found) == 400
    assert found[0] == ("received", "Pages 1 to 25: all received")
    assert found[1] == ("waiting", "Pages 26 to 50: 24 received; 1 waiting")
    assert found[39] == ("replayed", "Pages 976 to 1000: 24 received; 1 received, and sent again")
    assert found[360] == ("waiting", "Pages 9001 to 9025: all waiting")
    assert "<dd>31, 9001 to 9100</dd>" in html
    assert "9,899 of 10,000 pages received" in html
    assert len(html.encode()) < 100_000
    assert len(statements) <= 12


def test_the_list_takes_few_statements(relay: Relay) -> None:
    fill(relay)
    browser = relay.sign_in("viewer")
    with watched(relay) as statements:
        browser.page("/sessions?cohort=pay&connection=crm")
    assert len(statements) <= 12


def test_waits_between_pages_are_told_by_their_shares(relay: Relay) -> None:
    for number, seconds in enumerate([*[1] * 6, 3, 3, 9], 1):
        relay.refresh([f"p{number}"], number, 20, session="s")
        relay.clock.forward(seconds * SECOND)
    relay.refresh(["last"], 10, 20, session="s")
    words = one(relay, relay.sign_in("viewer"))
    assert "Wait between pages p50 1 s · p99 9 s · longest 9 s" in words
