"""One webhook call: parse the page, apply it in one transaction, reply."""

from time import perf_counter

from flask import Response, g, request

from blueprints import metrics
from blueprints.webhook import blueprint, body, refusals, replies
from runtime import current_runtime
from sync.apply.receive import receive
from sync.contract.page import parse
from sync.minimise.page import minimised
from sync.rules import Rules


@blueprint.post("/v1/mixpanel/cohort/sync", provide_automatic_options=False)
def receive_unnamed() -> Response:
    """The path of the Foldspace document; the credentials tell the connection."""
    return receive_page()


@blueprint.post("/webhooks/mixpanel/<connection>", provide_automatic_options=False)
def receive_named(connection: str) -> Response:  # noqa: ARG001 - the guard compares it with the credentials
    """The path that operators are shown."""
    return receive_page()


def receive_page() -> Response:
    """Apply one page and answer after its commit; every refusal is made in `refusals`."""
    runtime = current_runtime()
    started = perf_counter()
    settings = runtime.settings
    raw = body.read(request, settings.max_body_mb * 1024 * 1024)
    g.body, g.body_bytes = raw, len(raw)
    g.page = page = parse(raw)
    g.connection.check(page.project_id, page.cohort_id)
    page = minimised(page, g.connection.keeps, runtime.cipher.lasting_digest)
    rules, now = Rules.of(settings), runtime.clock()
    receipt = runtime.database.write(lambda db: receive(db, page, rules, g.connection.id, now))
    refusals.keep_waiting()
    metrics.count_page(page.action, receipt, perf_counter() - started)
    return replies.success(page.action)
