"""The example of docs/contributing/destinations.md is a type that works, and the pages name what there is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from destinations.contract import Adapter, DestinationType
from destinations.registry import TYPES
from tests.destinations.far_end import FEED, change, opened
from tests.mixpanel import Answer, Mixpanel, stand_in

DOCS = Path(__file__).resolve().parents[2] / "docs"
PARTNERS = """AB Tasty|Airship|Appcues|Apptimize|Braze|Chameleon|CleverTap|Facebook Ads|Google Ads|Insider|Iterable
|Kameleoon|Leanplum|Mailchimp|Marketo|MoEngage|OneSignal|Salesforce Marketing Cloud|Segment|Taplytics|VWO|WebEngage
|Xtremepush"""


@pytest.fixture(scope="module")
def intercom() -> DestinationType:
    page = (DOCS / "contributing" / "destinations.md").read_text()
    example = re.search(r"<!-- example -->\n```python\n(.*?)```", page, re.DOTALL)
    assert example is not None
    names: dict[str, Any] = {"__name__": "intercom"}
    exec(compile(example[1], "docs/contributing/destinations.md", "exec"), names)  # noqa: S102 - it is our own page
    found: DestinationType = names["INTERCOM"]
    return found


@pytest.fixture
def vendor() -> Iterator[Mixpanel]:
    with stand_in() as found:
        yield found


def opened_at(kind: DestinationType, vendor: Mixpanel) -> Adapter:
    return kind.open(opened({"tag_id": "7", "base_url": vendor.url}, {"token": ["planted-token-5512"]}))


def test_a_contact_is_found_once_and_remembered(intercom: DestinationType, vendor: Mixpanel) -> None:
    vendor.script("/contacts/find_by_external_id/ada%2F1", Answer(200, {"id": "c1"}))
    adapter = opened_at(intercom, vendor)
    verdict = adapter.send(FEED, [change(1, "ada/1")]).verdicts[1]
    assert (verdict.outcome, verdict.vendor_id) == ("applied", "c1")
    assert adapter.send(FEED, [change(2, "ada/1", "left", vendor_id="c1")]).verdicts[2].outcome == "applied"
    assert [(call.method, call.path) for call in vendor.calls] == [
        ("GET", "/contacts/find_by_external_id/ada%2F1"),
        ("POST", "/contacts/c1/tags"),
        ("DELETE", "/contacts/c1/tags/7"),
    ]
    assert vendor.calls[1].json == {"id": "7"}


@pytest.mark.parametrize("status", [404, 410])
def test_who_is_not_there_is_rejected_and_may_leave(intercom: DestinationType, vendor: Mixpanel, status: int) -> None:
    vendor.script("/contacts/find_by_external_id/ada", Answer(status, {}))
    adapter = opened_at(intercom, vendor)
    assert adapter.send(FEED, [change(1)]).verdicts[1].outcome == "rejected"
    assert adapter.send(FEED, [change(2, kind="left")]).verdicts[2].outcome == "applied"


@pytest.mark.parametrize(("status", "kind"), [(401, "credentials"), (429, "throttled"), (500, "unavailable")])
def test_every_other_answer_is_read_by_the_default(
    intercom: DestinationType, vendor: Mixpanel, status: int, kind: str
) -> None:
    vendor.script("/contacts/find_by_external_id/ada", Answer(status, {}, {"Retry-After": "3"}))
    vendor.script("/tags/7", Answer(status, {}))
    adapter = opened_at(intercom, vendor)
    refusal = adapter.send(FEED, [change(1)]).refusal
    assert refusal is not None
    assert refusal.kind == kind
    assert not adapter.check().ok


def test_every_type_has_a_page_and_a_row() -> None:
    rows = table("type")
    assert rows.keys() == {f"`{name}`" for name in TYPES}
    for name, row in rows.items():
        page = f"{name.strip('`')}.md"
        assert f"[{page}]({page})" in row
        written = (DOCS / "destinations" / page).read_text()
        named = {setting.name for setting in TYPES[name.strip("`")].settings if not setting.make} - {"base_url"}
        assert not [setting for setting in named if f"`{setting}`" not in written]


def test_every_partner_of_mixpanel_has_a_row_with_a_way() -> None:
    wanted = {name.strip() for name in PARTNERS.replace("\n", "").split("|")}
    rows = table("partner")
    assert wanted <= rows.keys()
    ways = tuple({*TYPES, "your own site", "your own app", "not possible"})
    assert not [name for name, row in rows.items() if not row.split("|")[0].strip(" `").startswith(ways)]


def table(head: str) -> dict[str, str]:
    """The rows of the table whose first column has this head, by their first cell."""
    page = (DOCS / "destinations" / "README.md").read_text()
    body = page.split(f"\n| {head} |", 1)[1].split("\n\n", 1)[0].split("\n")[2:]
    return {row.split("|")[1].strip(): row.split("|", 2)[2] for row in body}
