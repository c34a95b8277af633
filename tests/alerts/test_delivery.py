"""Messages reach real servers: an HTTP server and a mail server of the test."""

import hashlib
import hmac
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import alerts
from alerts.channels import DELIVERY, SIGNATURE
from alerts.delivery import ATTEMPTS, CLAIM, deliver_due
from tests.alerts.subjects import deliver, log, see
from tests.relay import MINUTE, SECOND, START

DAY = 24 * 60 * MINUTE


def mailing(post, user=""):
    return {"smtp_url": f"smtp://{user}127.0.0.1:{post.port}", "alert_email_to": "ops@example.com,boss@example.com"}


def test_the_webhook_gets_the_message_as_json(make_relay, hook):
    relay = make_relay(alert_webhook_url=f"{hook.url}/hook", public_url="https://relay.example.com")
    see(relay, "failing")
    assert deliver(relay) == 1
    (heard,) = hook.heard
    assert json.loads(heard.body) == {
        "kind": "failing",
        "subject": "cohort 12",
        "title": 'Cohort "Paying users" is failing',
        "message": "Mixpanel got 3 refusals in a row.\nWhat to do: See the failure.",
        "link": "https://relay.example.com/cohorts/12",
        "at": "2025-06-15T15:06:40.000Z",
    }
    assert heard.headers["Content-Type"] == "application/json"
    assert heard.headers[DELIVERY] == str(log(relay)[0].id)
    assert SIGNATURE not in heard.headers


def test_the_webhook_can_check_who_sent_it(make_relay, hook):
    relay = make_relay(alert_webhook_url=hook.url, alert_webhook_secret="known to both")
    see(relay, "failing")
    deliver(relay)
    (heard,) = hook.heard
    seconds, digest = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", heard.headers[SIGNATURE]).groups()
    assert int(seconds) == START // SECOND
    signed = seconds.encode() + b"." + heard.body
    assert digest == hmac.new(b"known to both", signed, hashlib.sha256).hexdigest()


def test_the_documents_way_of_checking_the_signature_works(make_relay, hook):
    relay = make_relay(alert_webhook_url=hook.url, alert_webhook_secret="known to both")
    see(relay, "failing")
    deliver(relay)
    (heard,) = hook.heard
    document = (Path(__file__).resolve().parents[2] / "docs" / "alerts.md").read_text()
    names: dict[str, Any] = {}
    exec(re.search(r"```python\n(.*?)```", document, re.DOTALL)[1], names)  # noqa: S102 - our own document
    seconds = START // SECOND
    header, is_genuine = heard.headers[SIGNATURE], names["is_genuine"]
    assert is_genuine("known to both", header, heard.body, seconds + 300)
    assert not is_genuine("known to both", header, heard.body, seconds + 301)
    assert not is_genuine("known to others", header, heard.body, seconds)
    assert not is_genuine("known to both", header, heard.body + b" ", seconds)
    assert not is_genuine("known to both", "nonsense", heard.body, seconds)


def test_slack_gets_text_in_which_no_name_can_ring_a_bell(make_relay, hook):
    relay = make_relay(alert_slack_url=f"{hook.url}/services/T0", public_url="https://relay.example.com")
    see(relay, "quiet", name="<!channel> & co")
    deliver(relay)
    (heard,) = hook.heard
    assert heard.path == "/services/T0"
    assert json.loads(heard.body) == {
        "text": "*&lt;!channel&gt; &amp; co has gone quiet*\nMixpanel got 3 refusals in a row.\n"
        "What to do: See the failure.\n<https://relay.example.com/cohorts/12>"
    }


def test_mail_reaches_everybody_with_subject_text_and_link(make_relay, post):
    relay = make_relay(**mailing(post), alert_email_from="relay@example.com", public_url="https://relay.example.com")
    see(relay, "stalled")
    assert deliver(relay) == 1
    (mail,) = post.mails
    head, _, text = mail.partition("\n\n")
    assert 'Subject: Cohort "Paying users" has stalled' in head
    assert "From: relay@example.com" in head
    assert "To: ops@example.com, boss@example.com" in head
    assert "https://relay.example.com/cohorts/12" in text
    assert [line for line in post.said if line.lower().startswith("rcpt")] == [
        "rcpt TO:<ops@example.com>",
        "rcpt TO:<boss@example.com>",
    ]


def test_mail_signs_in_where_the_url_has_a_user(make_relay, post):
    relay = make_relay(**mailing(post, "ada:p%40ss@"))
    see(relay, "failing")
    assert deliver(relay) == 1
    assert "\0ada\0p@ss" in post.said


def test_a_password_that_mail_cannot_carry_is_a_failure_like_others(make_relay, post):
    relay = make_relay(**mailing(post, user="ops:p%C3%A4ss@"))
    see(relay, "failing")
    assert deliver(relay) == 0
    (alert,) = log(relay)
    assert (alert.state, alert.attempts, alert.error) == ("waiting", 1, "no mail was sent (UnicodeEncodeError)")


def test_a_mail_server_that_offers_encryption_and_refuses_it_hears_no_password(make_relay, post):
    post.offers = "STARTTLS"
    post.refuse["STARTTLS"] = "454 not now"
    relay = make_relay(**mailing(post, "ada:secret@"))
    see(relay, "failing")
    deliver(relay)
    assert log(relay)[0].error == "the mail server answered 454"
    assert not [line for line in post.said if line.startswith("AUTH")]


def test_an_error_says_neither_address_nor_password(make_relay, post, hook):
    post.refuse["AUTH"] = "535 secret is not the password of ada"
    nobody = "http://127.0.0.1:1/services/secret"
    relay = make_relay(**mailing(post, "ada:secret@"), alert_slack_url=nobody, alert_webhook_url=hook.url)
    hook.status = 500
    see(relay, "failing")
    deliver(relay)
    errors = {row.channel: row.error for row in log(relay)}
    assert errors == {
        "email": "the mail server answered 535",
        "slack": "no answer (ConnectionError)",
        "webhook": "answered 500",
    }


def test_a_channel_that_fails_keeps_no_other_from_its_messages(make_relay, post, hook):
    relay = make_relay(**mailing(post), alert_slack_url="http://127.0.0.1:1", alert_webhook_url=hook.url)
    see(relay, "failing")
    assert deliver(relay) == 2
    assert [row.state for row in log(relay)] == ["sent", "waiting", "sent"]


def test_a_message_is_tried_again_later_and_later_and_then_arrives(make_relay, hook):
    relay = make_relay(alert_webhook_url=hook.url)
    hook.status = 503
    see(relay, "failing")
    for wait in (0, 30 * SECOND, 2 * MINUTE, 8 * MINUTE):
        relay.clock.forward(wait - 1)
        assert deliver(relay) == 0
        relay.clock.forward(1)
        deliver(relay)
    assert (len(hook.heard), log(relay)[0].attempts, log(relay)[0].error) == (4, 4, "answered 503")
    hook.status = 204
    relay.clock.forward(32 * MINUTE)
    assert deliver(relay) == 1
    (row,) = log(relay)
    assert (row.state, row.attempts, row.error, row.sent_at) == ("sent", ATTEMPTS, None, relay.clock())


def test_the_fifth_failure_is_the_last(make_relay, hook):
    relay = make_relay(alert_webhook_url=hook.url)
    hook.status = 404
    see(relay, "failing")
    for _ in range(8):
        deliver(relay)
        relay.clock.forward(DAY)
    assert (len(hook.heard), log(relay)[0].state, log(relay)[0].error) == (5, "failed", "answered 404")


def test_a_redirect_is_not_followed(make_relay, hook):
    relay = make_relay(alert_webhook_url=hook.url)
    hook.status = 302
    see(relay, "failing")
    deliver(relay)
    assert (len(hook.heard), log(relay)[0].error) == (1, "answered 302")


def test_a_recovery_does_not_overtake_its_trouble(make_relay, hook):
    relay = make_relay(alert_webhook_url=hook.url)
    hook.status = 500
    see(relay, "failing")
    deliver(relay)
    see(relay, "in_step")
    hook.status = 200
    assert deliver(relay) == 0
    relay.clock.forward(MINUTE)
    assert [deliver(relay), deliver(relay)] == [1, 1]
    assert [json.loads(heard.body)["kind"] for heard in hook.heard] == ["failing", "failing", "recovered"]


def test_no_two_workers_send_one_message(make_relay, hook):
    relay = make_relay(alert_webhook_url=hook.url)
    for number in range(10):
        see(relay, "failing", subject=f"cohort {number}")
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: deliver(relay), range(4))) == 10
    assert len({heard.headers[DELIVERY] for heard in hook.heard}) == len(hook.heard) == 10


def test_a_message_under_way_is_nobody_elses_and_no_transaction_waits_for_it(make_relay, hook):
    relay = make_relay(alert_webhook_url=hook.url)
    see(relay, "failing")
    hook.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(deliver, relay)
        assert hook.busy.wait(20)
        assert deliver(relay) == 0
        relay.refresh(["A"])  # a write, while the message is under way
        hook.gate.set()
        assert first.result(20) == 1
    assert len(hook.heard) == 1


def test_a_message_whose_worker_died_is_sent_when_its_claim_runs_out(make_relay, hook):
    relay = make_relay(alert_webhook_url=hook.url)
    see(relay, "failing")
    claimed = f"UPDATE alert SET claimed_until = {relay.clock() + CLAIM}, attempts = 1"
    relay.database.write(lambda db: db.exec_driver_sql(claimed))
    assert deliver(relay) == 0
    relay.clock.forward(CLAIM)
    assert deliver(relay) == 1


def test_a_worker_that_slept_until_its_claim_had_run_out_sends_nothing(make_relay, hook):
    relay = make_relay(alert_webhook_url=hook.url)
    see(relay, "failing")
    ticks = iter((0, 0, CLAIM, CLAIM))
    began = relay.clock()
    assert deliver_due(relay.database, relay.app.extensions["runtime"].settings, lambda: began + next(ticks)) == 0
    assert hook.heard == []
    relay.clock.forward(CLAIM)
    assert deliver(relay) == 1


def test_test_messages_do_not_wait_for_each_other(make_relay, hook):
    relay = make_relay(alert_webhook_url=hook.url)
    settings = relay.app.extensions["runtime"].settings
    hook.status = 500
    alerts.send_test(relay.database, settings, "ada@example.com", relay.clock())
    deliver(relay)
    hook.status = 200
    alerts.send_test(relay.database, settings, "ada@example.com", relay.clock())
    assert deliver(relay) == 1
    assert [row.state for row in log(relay)] == ["waiting", "sent"]
