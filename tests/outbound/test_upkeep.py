"""What the worker removes of the calls to Mixpanel, and what it keeps."""

from outbound import operations, send, upkeep
from outbound.desk import Desk
from outbound.projects import Project
from outbound.shape import Given
from tests.relay import Relay


def test_zero_days_keep_every_call(relay: Relay, desk: Desk, project: Project) -> None:
    given = Given({"event": "e", "distinct_id": "u1"})
    send.send(desk, send.ready(desk, project, operations.OPERATIONS["track-event"], given), "tests", "dashboard")
    relay.clock.forward(1000 * upkeep.DAY)
    upkeep.prune(relay.database, 0, relay.clock())
    assert len(relay.rows("SELECT id FROM delivery")) == 1
    upkeep.prune(relay.database, 90, relay.clock())
    assert relay.rows("SELECT id FROM delivery") == []
