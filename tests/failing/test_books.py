"""What the tests of failures ask the database keeps cohorts of two projects apart that have the same number."""

import pytest
from sqlalchemy import text

from tests.failing.books import Books
from tests.relay import Relay


@pytest.fixture
def books(relay: Relay, database_url: str) -> Books:
    """Cohort 7 of project 1 with Ada, refreshed once, and of project 2 with Bob and Cy, refreshed twice."""
    relay.refresh(["ada"], session="same")
    for _ in range(2):
        relay.refresh(["bob"], page=1, total=2, session="same", project="2")
        relay.refresh(["cy"], page=2, total=2, session="same", project="2")
    relay.refresh(["bob", "cy"], session="second", project="2")
    return Books(database_url)


def test_each_project_has_members_and_sessions_of_its_own(books: Books) -> None:
    assert (books.members(), books.members(project="2")) == ({"ada"}, {"bob", "cy"})
    assert [len(books.sessions(project=project)) for project in ("1", "2")] == [1, 2]
    assert [books.page_count("same", project=project) for project in ("1", "2")] == [1, 2]
    assert [set(books.properties(project)) for project in ("1", "2")] == [{"ada"}, {"bob", "cy"}]


def test_the_books_of_each_balance_and_what_is_wrong_in_one_is_wrong_there(books: Books, relay: Relay) -> None:
    books.assert_balanced()
    books.assert_balanced(project="2")
    wrong = text("UPDATE cohort SET member_count = 9 WHERE project_id = '2'")
    relay.database.write(lambda db: db.execute(wrong))
    books.assert_balanced()
    with pytest.raises(AssertionError):
        books.assert_balanced(project="2")
