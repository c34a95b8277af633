"""Channels that admins add in the browser: sealed, told of what was chosen, tested and removed."""

import json
import re

import pytest

import alerts
from alerts import stored_channels
from alerts.channels import SIGNATURE, signature
from tests.alerts.subjects import deliver, log, look, see, subject_in
from tests.relay import Browser, Relay

SLACK = {"kind": "slack", "name": "on call", "states": list(stored_channels.STATES)}


@pytest.fixture
def relay(make_relay) -> Relay:
    return make_relay(allow_private_destinations=True)


def add(relay: Relay, **form: object) -> Browser:
    admin = relay.sign_in("admin")
    answer = admin.post("/settings/alerts/channels/new", SLACK | form)
    assert answer.status_code == 303, answer.text
    return admin


def stored(relay: Relay) -> list[stored_channels.StoredChannel]:
    return relay.database.read(stored_channels.listed)


def test_a_channel_is_told_and_its_address_is_sealed(relay, hook):
    page = add(relay, url=f"{hook.url}/planted-path").page("/settings/alerts")
    assert "planted-path" not in page
    assert "planted-path" not in str([dict(row) for row in relay.rows("SELECT * FROM alert_channel")])
    see(relay, "failing")
    assert deliver(relay) == 1
    assert [heard.path for heard in hook.heard] == ["/planted-path"]


def test_a_channel_is_told_of_the_states_and_cohorts_that_were_chosen(relay, hook):
    add(relay, url=hook.url, states=["failing"], cohorts=["12"])
    settings = relay.app.extensions["runtime"].settings
    for key, state in (("cohort 12", "quiet"), ("cohort 13", "failing"), ("connection crm", "failing")):
        alerts.tell(relay.database, settings, look(subject_in(state, key)), relay.clock())
    assert log(relay) == []
    alerts.tell(relay.database, settings, look(subject_in("failing")), relay.clock())
    assert [row.subject for row in log(relay)] == ["cohort 12"]


def test_a_webhook_of_the_browser_is_signed_and_mail_goes_to_its_recipients(relay, hook, post):
    admin = add(relay, kind="webhook", name="ours", url=hook.url, secret="known to both")
    mail = {"kind": "email", "name": "mail", "url": f"smtp://127.0.0.1:{post.port}", "to": "ops@example.com"}
    assert admin.post("/settings/alerts/channels/new", SLACK | mail).status_code == 303
    see(relay, "failing")
    assert deliver(relay) == 2
    assert SIGNATURE in hook.heard[0].headers
    assert "To: ops@example.com" in post.mails[0]


def test_a_private_address_is_not_called_unless_that_is_allowed(make_relay, hook):
    relay = make_relay()
    add(relay, url=hook.url)
    see(relay, "failing")
    assert deliver(relay) == 0
    assert hook.heard == []
    assert hook.url not in (log(relay)[0].error or "")


def test_a_change_keeps_what_is_not_typed(relay, hook):
    admin = add(relay, url=hook.url)
    number = stored(relay)[0].id
    answer = admin.post(
        f"/settings/alerts/channels/{number}", SLACK | {"name": "renamed", "url": "", "states": ["held"]}
    )
    assert answer.status_code == 303
    (one,) = stored(relay)
    assert (one.name, one.states) == ("renamed", ["held"])
    see(relay, "held")
    assert deliver(relay) == 1


def test_a_removed_channel_gets_nothing_that_waits(relay, hook):
    admin = add(relay, url=hook.url)
    see(relay, "failing")
    number = stored(relay)[0].id
    assert "is forgotten" in admin.page(f"/settings/alerts/channels/{number}/remove")
    assert admin.post(f"/settings/alerts/channels/{number}/remove").status_code == 303
    assert deliver(relay) == 0
    assert hook.heard == []
    done = [row["action"] for row in relay.rows("SELECT action FROM audit_entry WHERE action LIKE 'alert_channel.%'")]
    assert done == ["alert_channel.add", "alert_channel.remove"]


def test_another_secret_key_is_a_failure_like_others(relay, hook):
    add(relay, url=hook.url)
    relay.database.write(lambda db: db.exec_driver_sql("UPDATE alert_channel SET sealed = 'nothing'"))
    see(relay, "failing")
    assert deliver(relay) == 0
    assert log(relay)[0].error == "this channel is not configured any more"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": "", "url": "https://a.example"}, "name"),
        ({"url": ""}, "url"),
        ({"url": "ftp://a.example"}, "url"),
        ({"kind": "email", "url": "smtp://a.example", "to": ""}, "to"),
        ({"kind": "email", "url": "smtp://a.example", "to": "nobody"}, "to"),
        ({"kind": "pigeon", "url": "https://a.example"}, "kind"),
    ],
)
def test_what_cannot_be_a_channel_is_refused_at_its_field(relay, form, field):
    answer = relay.sign_in("admin").post("/settings/alerts/channels/new", SLACK | form)
    assert answer.status_code == 422
    assert field == "kind" or re.search(rf'id="{field}".*?aria-invalid="true"', answer.text, re.DOTALL)
    assert stored(relay) == []


def test_a_name_is_given_once(relay, hook):
    admin = add(relay, url=hook.url)
    answer = admin.post("/settings/alerts/channels/new", SLACK | {"url": hook.url})
    assert (answer.status_code, "already" in answer.text) == (422, True)


def test_the_result_of_a_test_shows_in_place(relay, hook):
    admin = add(relay, url=hook.url)
    admin.post("/settings/alerts/test", {"channel": stored(relay)[0].key})
    assert 'hx-trigger="every 2s"' in admin.page("/settings/alerts/now")
    deliver(relay)
    after = admin.page("/settings/alerts/now")
    assert "Test arrived" in after
    assert "hx-trigger" not in after
    assert json.loads(hook.heard[0].body)["text"].startswith("*Test message")


def test_the_overview_says_so_while_nobody_is_told(relay, hook):
    relay.refresh(["A"])
    viewer = relay.sign_in("viewer")
    assert "Nobody is told when something goes wrong" in viewer.page("/")
    add(relay, url=hook.url)
    assert "Nobody is told" not in viewer.page("/")


def test_only_admins_see_and_change_channels(relay):
    operator = relay.sign_in("operator")
    assert operator.get("/settings/alerts/channels/new").status_code == 403
    assert operator.post("/settings/alerts/channels/new", SLACK).status_code == 403
    assert "/channels/new" not in operator.page("/settings/alerts")


def test_a_rotated_key_signs_beside_the_earlier_one_for_a_day(relay, hook):
    admin = add(relay, kind="webhook", name="ours", url=hook.url, secret="the earlier one")
    (channel,) = stored(relay)
    made = admin.submit(f"/settings/alerts/channels/{channel.id}/rotate")
    secret = re.search(r'data-copy="([\w-]{43})"', made.text)
    assert secret is not None, made.text
    assert secret[1] not in admin.page(f"/settings/alerts/channels/{channel.id}")
    see(relay, "failing")
    assert deliver(relay) == 1
    call = hook.heard[0]
    sent_at = int(re.match(r"t=(\d+)", call.headers[SIGNATURE])[1])
    assert call.headers[SIGNATURE] == signature([secret[1], "the earlier one"], sent_at, call.body)
    again = json.loads(relay.app.test_cli_runner().invoke(args=["alerts", "rotate", "ours", "--json"]).stdout)
    assert again["secret"] != secret[1]
    (channel,) = stored(relay)
    runtime = relay.app.extensions["runtime"]
    way = channel.way(runtime.settings, runtime.cipher, relay.clock() + 25 * 3_600_000)
    assert (way.secret, way.earlier_secret) == (again["secret"], "")
    assert [row["action"] for row in relay.rows("SELECT action FROM audit_entry")].count("alert_channel.rotate") == 2
