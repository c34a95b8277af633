"""People: found by id, e-mail or name, and one with everything that is known. Member data never stands in a URL."""

import re
from typing import Any

import pytest
from sqlalchemy import event, text

from blueprints.dashboard.people import profile as person_profile
from blueprints.dashboard.people import routes
from blueprints.dashboard.people import timeline as person_timeline
from tests.relay import MINUTE, Browser, Relay, member

DAY = 24 * 60 * MINUTE


def search(browser: Browser, q: str) -> Any:
    return browser.submit("/people/search", {"q": q})


def ids_found(relay: Relay, q: str) -> set[str]:
    return {row.distinct_id for row in relay.database.read(lambda db: routes.search(db, q))}


def page_of(relay: Relay, browser: Browser, distinct_id: str, query: str = "") -> str:
    return browser.page(f"/people/{relay.person(distinct_id)['id']}{query}")


def words(html: str) -> str:
    """What is read, without tags and line breaks."""
    return re.sub(r" (?=[.,])", "", " ".join(re.sub(r"<[^>]+>", " ", html).split()))


ADA = member("ada-1", email="Ada@Example.org", first_name="Ada", last_name="Lovelace", plan="pro", tags=["a", "b"])


# --- search


@pytest.mark.parametrize(
    "q", ["ada-1", " ada-1 ", "ada@example.ORG", "ADA", "lovelace", "ada lovelace", "Ada  LOVELACE"]
)
def test_one_hit_leads_straight_to_the_person(relay: Relay, q: str) -> None:
    relay.add([ADA, member("other", email="other@example.org", first_name="Grace", last_name="Hopper")])
    answer = relay.sign_in("viewer").post("/people/search", {"q": q})
    assert (answer.status_code, answer.location) == (303, f"/people/{relay.person('ada-1')['id']}")


def test_ids_are_exact(relay: Relay) -> None:
    relay.add(["ada-1", "ADA-1"])
    assert (ids_found(relay, "ada-1"), ids_found(relay, "ada")) == ({"ada-1"}, set())


def test_every_project_is_searched_and_several_are_listed(relay: Relay) -> None:
    relay.add([ADA], project="1")
    relay.add([ADA], project="2")
    page = search(relay.sign_in("viewer"), "ada-1").text
    assert "2 people match “ada-1”" in words(page)
    assert len(re.findall(r'href="/people/\d+"', page)) == 2


def test_a_full_name_needs_both_names(relay: Relay) -> None:
    relay.add(
        [ADA, member("x", first_name="Ada", last_name="Byron"), member("y", first_name="Bo", last_name="Lovelace")]
    )
    assert ids_found(relay, "Ada Lovelace") == {"ada-1"}
    assert ids_found(relay, "Lovelace") == {"ada-1", "y"}


def test_names_of_several_words_are_found(relay: Relay) -> None:
    relay.add(
        [member("x", first_name="Mary Ann", last_name="Evans"), member("y", first_name="Vincent", last_name="van Gogh")]
    )
    found = [ids_found(relay, q) for q in ("mary ann", "Vincent van Gogh", "van gogh")]
    assert found == [{"x"}, {"y"}, {"y"}]


@pytest.mark.parametrize("q", ["élodie", "ÉLODIE", "Élodie"])
def test_letters_outside_of_ascii_are_found_in_any_case(relay: Relay, q: str) -> None:
    relay.add([member("x", first_name="Élodie")])
    assert ids_found(relay, q) == {"x"}


def test_an_empty_name_answers_to_nothing(relay: Relay) -> None:
    relay.add([member("x", first_name="", last_name="", email="")])
    assert (ids_found(relay, "y z"), ids_found(relay, "y")) == (set(), set())


def test_nobody_found_says_so_and_keeps_what_was_searched(relay: Relay) -> None:
    relay.add([ADA])
    page = search(relay.sign_in("viewer"), 'no "one" <b>').text
    assert "Nobody found" in page
    assert 'value="no &#34;one&#34; &lt;b&gt;"' in page


@pytest.mark.parametrize("q", ["a\0b", "\ud800", "x" * 90_000, "' OR 1=1 --", "%"])
def test_nothing_that_is_typed_breaks_the_search(relay: Relay, q: str) -> None:
    relay.add([ADA])
    browser = relay.sign_in("viewer")
    data = {"csrf_token": browser.token.encode(), "q": q.encode("utf-8", "surrogatepass")}
    assert "Nobody found" in browser.client.post("/people/search", data=data, follow_redirects=True).text


def test_an_empty_search_leads_to_the_form(relay: Relay) -> None:
    assert relay.sign_in("viewer").post("/people/search", {"q": "  "}).location == "/people"


def test_a_list_is_bounded_and_says_so(relay: Relay) -> None:
    relay.add([member(str(number), first_name="Kim") for number in range(routes.MOST + 5)])
    page = search(relay.sign_in("viewer"), "kim").text
    assert f"{routes.MOST}+ people match" in words(page)
    assert len(re.findall(r'href="/people/\d+"', page)) == routes.MOST


def test_the_bar_of_every_page_searches_too(relay: Relay) -> None:
    relay.add([ADA])
    form = re.search(r'<form class="search".*?</form>', relay.sign_in("viewer").page("/account"), re.DOTALL)
    assert form is not None
    assert 'method="post" action="/search"' in form[0]
    assert 'name="q"' in form[0]


def plan_of(relay: Relay, q: str) -> str:
    """How the database would search, where tables are too small for it to read them whole."""
    heard: list[tuple[str, Any]] = []

    def read(db: Any) -> str:
        if relay.database.dialect == "postgresql":
            db.execute(text("SET LOCAL enable_seqscan = off"))
            db.execute(text("SET LOCAL enable_hashjoin = off"))
        listen = lambda _db, _cursor, sql, values, *_: heard.append((sql, values))  # noqa: E731
        event.listen(db, "before_cursor_execute", listen)
        routes.search(db, q)
        ((sql, values),) = heard
        explain = "EXPLAIN QUERY PLAN " if relay.database.dialect == "sqlite" else "EXPLAIN "
        return "\n".join(str(tuple(row)) for row in db.exec_driver_sql(explain + sql, values))

    return relay.database.read(read)


def test_a_search_looks_into_indexes_and_reads_no_table_whole(relay: Relay) -> None:
    relay.add([ADA])
    plan = plan_of(relay, "Ada Lovelace")
    for index in ("ix_person_email", "ix_person_first_name", "ix_person_last_name", "uq_person_project_id_distinct_id"):
        assert index in plan or (index.startswith("uq_") and "sqlite_autoindex_person_1" in plan), plan
    assert not re.search(r"SCAN person|Seq Scan on person", plan), plan


# --- one person


def test_a_page_has_the_profile_with_readable_values(relay: Relay) -> None:
    relay.add([member("ada-1", email="ada@example.org", first_name="Ada", seats=3, paid=True, tags=["a", {"b": None}])])
    page = page_of(relay, relay.sign_in("viewer"), "ada-1")
    rows = {
        " ".join(head.split()): words(value)
        for head, value in re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', page, re.DOTALL)
    }
    assert rows == {
        "E-mail": "ada@example.org",
        "First name": "Ada",
        "Last name": "not exported",
        "Phone": "not exported",
        "paid": "true",
        "seats": "3",
        "tags": "[ &#34;a&#34;, { &#34;b&#34;: null } ]",
    }


def test_the_head_names_the_person_and_the_project(relay: Relay) -> None:
    relay.add([ADA])
    page = page_of(relay, relay.sign_in("viewer"), "ada-1")
    assert "<h1>Ada Lovelace</h1>" in page
    assert "Ada@Example.org id Copy ada-1 project 1" in words(page)


def test_cohorts_now_say_which_time_and_for_how_long(relay: Relay) -> None:
    relay.add(["A"], session="1")
    relay.remove(["A"], session="2")
    relay.add(["A"], session="3")
    relay.add(["A"], cohort="8", name="Beta", session="4")
    relay.clock.forward(3 * DAY)
    page = words(page_of(relay, relay.sign_in("viewer"), "A"))
    assert "In 2 cohorts now" in page
    assert "Paying users 2nd time, 3 d" in page
    assert "Beta 3 d" in page


def turns(page: str) -> list[str]:
    found = re.findall(r'<li class="(?:entered|left)">\s*<div>(.*?)</div>', page, re.DOTALL)
    return [words(turn) for turn in found]


def test_the_line_of_time_has_every_entry_and_exit_with_its_session(relay: Relay) -> None:
    relay.refresh(["A"], session="first")
    relay.clock.forward(61 * DAY)
    relay.remove(["A"], session="second")
    relay.clock.forward(DAY)
    relay.add(["A"], session="third")
    page = page_of(relay, relay.sign_in("viewer"), "A")
    assert turns(page) == [
        "Entered Paying users 2nd time",
        "Left Paying users after 61 d",
        "Entered Paying users 1st time",
    ]
    linked = re.findall(r'<a href="/sessions/(\d+)">(.*?)</a>', page)
    sessions = relay.rows("SELECT id FROM sync_session ORDER BY id DESC")
    assert [int(number) for number, _ in linked] == [row["id"] for row in sessions]
    assert [name for _, name in linked] == ["diff third", "diff second", "refresh first"]


def test_the_line_of_time_leads_to_older_pages_and_ends(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person_timeline, "PAGE", 4)
    for number in range(5):
        for cohort in ("7", "8"):  # at the same moment
            relay.add(["A"], cohort=cohort, name=cohort, session=f"in {number}")
            relay.remove(["A"], cohort=cohort, name=cohort, session=f"out {number}")
        relay.clock.forward(MINUTE)
    browser = relay.sign_in("viewer")
    found, query, pages = [], "", 0
    while True:
        page = page_of(relay, browser, "A", query)
        found += re.findall(r'/cohorts/(\d+)".*?/sessions/(\d+)"', page[page.index("timeline") :], re.DOTALL)
        pages += 1
        link = re.search(r'href="[^"?]+([^"]+)" rel="next"', page)
        if link is None:
            break
        query = link[1].replace("&amp;", "&")
    assert (len(found), len(set(found)), pages) == (20, 20, 5)


@pytest.mark.parametrize("before", ["x", "1-2", "1-2-3-4", "9" * 40 + "-1-1", "-1-1-1", "%00"])
def test_a_wrong_place_is_the_newest_page(relay: Relay, before: str) -> None:
    relay.add(["A"])
    assert turns(page_of(relay, relay.sign_in("viewer"), "A", f"?before={before}")) == ["Entered Paying users 1st time"]


def test_whom_only_a_removal_named_has_no_profile(relay: Relay) -> None:
    relay.remove(["A"])
    page = words(page_of(relay, relay.sign_in("viewer"), "A"))
    assert "No profile is known: only a removal has named this person" in page
    assert "In no cohort now" in page


def test_an_unknown_person_is_404_with_a_search(relay: Relay) -> None:
    answer = relay.sign_in("viewer").get("/people/999999")
    assert answer.status_code == 404
    assert "There is no such person" in answer.text


def test_a_page_takes_few_statements_and_stays_small(relay: Relay) -> None:
    properties = {f"property {number:03}": "&" * 5000 for number in range(200)}
    relay.add([member("A", **properties)])
    for number in range(20):
        relay.add(["A"], cohort=str(number), session=str(number))
    browser = relay.sign_in("viewer")
    ran: list[str] = []
    event.listen(relay.database.reader, "before_cursor_execute", lambda _db, _cursor, sql, *_: ran.append(sql))
    page = page_of(relay, browser, "A")
    assert len(ran) <= 12 + 1  # and the test's own
    assert "more properties" in page


def test_a_profile_of_many_values_is_cut_and_says_so() -> None:
    found = person_profile.readable('{"long": "' + "x" * 5000 + '"}')
    assert (len(found.shown[0].value), found.shown[0].cut, found.left_out) == (person_profile.LONGEST, True, 0)
    many = ", ".join(f'"{number}": "{"x" * 1000}"' for number in range(100))
    found = person_profile.readable("{" + many + "}")
    assert len(found.shown) + found.left_out == 100
    assert sum(len(one.value) for one in found.shown) <= person_profile.ROOM
