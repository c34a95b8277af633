"""What the worker removes of the calls to Mixpanel, and what it keeps."""

from outbound import cleanup, send
from outbound.operations import registry
from outbound.operations.types import CallInput
from outbound.projects import Project
from runtime import Runtime
from tests.relay import Relay


def test_zero_days_keep_every_call(relay: Relay, runtime: Runtime, project: Project) -> None:
    given = CallInput({"event": "e", "distinct_id": "u1"})
    send.send(runtime, send.ready(runtime, project, registry.OPERATIONS["track-event"], given), "tests", "dashboard")
    relay.clock.forward(1000 * cleanup.DAY)
    cleanup.prune(relay.database, 0, relay.clock())
    assert len(relay.rows("SELECT id FROM delivery")) == 1
    cleanup.prune(relay.database, 90, relay.clock())
    assert relay.rows("SELECT id FROM delivery") == []
