"""What a relay does all day: cohorts arrive, change, are swept, read, and told to destinations; somebody is erased."""

from typing import Any

from config.clock import DAY
from destinations import preview, trial
from destinations.subscriptions import NewSubscription
from erasure import DataSubject, eraser
from sync.retention import prune_log
from sync.sweep import decisions
from tests.destinations.conftest import Relaying
from tests.relay import MINUTE, Relay, member
from tests.sync.test_minimising import choose
from tests.sync.test_minimising_stored import apply

COHORT = "/projects/1/cohorts/7"
PEOPLE = [f"u{number:02}" for number in range(24)]


def people(names: list[str], **more: Any) -> list[dict[str, Any]]:
    return [member(name, email=f"{name}@example.com", **more) for name in names]


def exported(relay: Relay) -> None:
    """Two cohorts, each by a refresh of two pages, that share people; one unchanged refresh and one that changes and
    drops some, which is swept in steps."""
    for cohort in ("7", "8"):
        relay.refresh(people(PEOPLE[:12]), 1, 2, cohort=cohort)
        relay.refresh(people(PEOPLE[12:]), 2, 2, cohort=cohort)
    relay.work()
    relay.refresh(people(PEOPLE), session="unchanged")
    relay.work()
    relay.refresh(people(PEOPLE[:20], plan="pro"), session="fewer", cohort="8")
    relay.work()


def changed(relay: Relay) -> None:
    """Diffs, a page that comes again, one that comes changed, and exports without a number or an id."""
    relay.remove(PEOPLE[:4], session="diff", cohort="8")
    relay.add(people(["new", *PEOPLE[:2], ""]), session="diff", cohort="8")
    relay.add(people(["new", *PEOPLE[:2], ""]), session="diff", cohort="8")
    relay.refresh(people(PEOPLE), 1, 2, session="again", cohort="8")
    relay.refresh(people(PEOPLE[1:]), 1, 3, session="again", cohort="8")
    relay.refresh(people(PEOPLE), session="newer", cohort="8")
    relay.add(people(PEOPLE[:3]), page=None, session=None, cohort="8")
    relay.settle()


def held(relay: Relay) -> None:
    """A refresh that would remove too much waits for an operator, who lets it through."""
    relay.refresh(people(PEOPLE[:4]), session="alarming", cohort="8")
    relay.work()
    number = relay.session(cohort="8")["id"]
    assert relay.database.write(lambda db: decisions.approve(db, number, relay.rules, relay.clock()))
    relay.work()
    assert relay.members("8") == set(PEOPLE[:4])


def read(relay: Relay) -> None:
    """The API's lists, one by one and as files."""
    for path in ("/cohorts", COHORT, f"{COHORT}/members", f"{COHORT}/members/u01", f"{COHORT}/changes", "/sessions"):
        assert relay.api(path).status_code == 200, path
    for path in (f"{COHORT}/members.csv", f"{COHORT}/members.ndjson", "/people/1/u01"):
        assert "u01" in relay.api(path).text, path


def looked_at(relay: Relay) -> None:
    """The dashboard's pages of cohorts, sessions, people and messages."""
    browser = relay.sign_in()
    cohort = "/cohorts/1"
    for path in ("/", "/cohorts", cohort, f"{cohort}?since=7d", f"{cohort}?as_of=2025-06-15T15:07", "/sessions"):
        browser.page(path)
    session = relay.session(1, "8")["id"]
    for kind in ("", "/members/entered", "/members/left", "/members/unchanged", "/members/rejected"):
        browser.page(f"/sessions/{session}{kind}")
    for path in (
        "/people",
        "/people?q=u0",
        f"/people/{relay.person('u05')['id']}",
        "/search?q=u0",
        "/destinations/subscriptions/1/messages",
    ):
        browser.page(path)


def told(relaying: Relaying) -> None:
    """A stream and a set are told who was in, who changes, and who leaves."""
    relay = relaying.relay
    for name, kind in (("hook", "hook"), ("set", "table")):
        relaying.destination(name, kind)
        relaying.subscribe(name, identity="distinct_id" if name == "hook" else "email", start="present")
        relaying.work()
    relay.refresh(people([*PEOPLE[:20], "late"], plan="pro"), session="told")
    relay.wait(MINUTE)
    relaying.work()
    relay.add([*people(PEOPLE), "mute"], session="back")
    relaying.work(MINUTE)
    preview.preview(relaying.runtime, NewSubscription("set", "1", "7", identity="property:plan"))
    trial.test(relaying.runtime, relaying.subscription(2), "u05")
    relay.add(people(["mute"]), session="heard")
    relaying.work(MINUTE)
    relaying.work(MINUTE)


def erased(relaying: Relaying) -> None:
    eraser(relaying.runtime).erase(DataSubject("1", "u01"), "tests")


def minimised(relay: Relay) -> None:
    """What is stored follows what the connection keeps from now on."""
    choose(relay, email="hash")
    apply(relay)


def aged(relay: Relay) -> None:
    """The log's oldest stays are past their retention."""
    relay.clock.forward(3 * DAY)
    assert prune_log(relay.database, 2, relay.clock()) > 0


def day(relaying: Relaying) -> None:
    """All of it."""
    relay = relaying.relay
    exported(relay)
    changed(relay)
    held(relay)
    read(relay)
    told(relaying)
    looked_at(relay)
    erased(relaying)
    minimised(relay)
    aged(relay)
