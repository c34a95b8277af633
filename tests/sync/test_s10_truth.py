"""S10: in every state, the count is the rows is the log; a page is one transaction, committed before the reply."""

from typing import Any

from sqlalchemy import create_engine, event, text

from tests.relay import Relay


def counted_three_ways(relay: Relay) -> tuple[int, int, int]:
    log = [kind for kind, _, _ in relay.log()]
    return relay.cohort()["member_count"], len(relay.members()), log.count("entered") - log.count("left")


def test_s10_p40_the_count_the_rows_and_the_log_agree_after_every_page(relay: Relay) -> None:
    calls: list[tuple[str, list[str], int, int, str]] = [
        ("members", ["A", "B", ""], 1, 2, "one"),
        ("add_members", ["C", "A"], 1, 1, "two"),
        ("members", ["D"], 2, 2, "one"),
        ("members", ["D"], 2, 2, "one"),
        ("remove_members", ["A", "Z"], 1, 1, "three"),
        ("members", ["A"], 1, 2, "four"),
        ("members", [], 1, 1, "five"),
    ]
    for action, members, page, total, session in calls:
        relay.sync(action, members, page, total, session=session)
        count, rows, log = counted_three_ways(relay)
        assert count == rows == log


def test_s10_p20_everything_is_committed_before_the_reply(relay: Relay) -> None:
    """Whoever opens the database right after the reply finds the page, as after a crash."""
    relay.refresh(["A", "B"])
    engine = create_engine(relay.database.writer.url)
    with engine.connect() as stranger:
        assert stranger.execute(text("SELECT member_count FROM cohort")).scalar_one() == 2
        assert stranger.execute(text("SELECT count(*) FROM sync_page")).scalar_one() == 1
    engine.dispose()


def test_s10_a_page_is_one_transaction(relay: Relay) -> None:
    relay.refresh(["A", "B"], session="first")  # also notes the password's use, which is a transaction of its own
    commits: list[Any] = []
    event.listen(relay.database.writer, "commit", commits.append)
    relay.refresh(["B", "C"], session="second")
    assert len(commits) == 1
