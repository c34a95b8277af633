"""What is over goes in its time; what was counted stays counted, and nothing goes that somebody still needs."""

from config.clock import DAY
from destinations import subscriptions
from destinations.retention import fold
from sync.retention import prune_log
from tests.destinations.conftest import Relaying


def test_messages_that_are_over_go_and_stay_counted(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada", "bob"])
    relaying.destination("hook")
    known = relaying.subscribe("hook", start="present")
    relaying.work()
    relaying.relay.clock.forward(2 * DAY)
    relaying.relay.add(["cid"], session="s2")
    relaying.work()
    assert fold(relaying.database, relaying.now - DAY) == 4  # two messages, two attempts
    (row,) = relaying.relay.rows("SELECT applied, folded FROM subscription_counts")
    assert (row["applied"], row["folded"]) == (3, 2)
    assert len(relaying.relay.rows("SELECT id FROM message")) == 1
    relaying.relay.remove(["ada"], session="s3")
    relaying.work()
    assert relaying.there("hook").heard[-1][:3] == ("left", "ada", 1)
    assert relaying.subscription(known).counts["applied"] == 4


def test_what_waits_is_kept_however_old(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("hook")
    relaying.subscribe("hook", start="present")
    relaying.plan()
    relaying.relay.clock.forward(400 * DAY)
    assert fold(relaying.database, relaying.now) == 0


def test_the_log_is_kept_for_a_subscription_that_has_not_planned_it(relaying: Relaying) -> None:
    relaying.relay.refresh(["ada"])
    relaying.destination("hook")
    known = relaying.subscribe("hook")
    relaying.database.write(lambda db: subscriptions.pause(db, known, "for weeks", relaying.now))
    relaying.relay.add(["bob"], session="s2")
    relaying.relay.remove(["bob"], session="s3")
    relaying.relay.clock.forward(30 * DAY)
    assert prune_log(relaying.database, 7, relaying.now) == 0
    relaying.database.write(lambda db: subscriptions.resume(db, known))
    relaying.work()
    assert [one[:2] for one in relaying.there("hook").heard] == [("entered", "bob"), ("left", "bob")]
    assert prune_log(relaying.database, 7, relaying.now) == 2
