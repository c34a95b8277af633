"""What is kept about people is told in full: no table, no column and no row of the documents is left out."""

from pathlib import Path

import pytest

from alerts import runner
from config.clock import DAY, HOUR
from erasure import personal_data
from erasure.personal_data import FOR_EVER, MEMBERS, NOTHING, OPERATORS, PersonalData
from erasure.pii_columns import PII_COLUMNS
from models.database import db
from security import handover, one_time_links
from tests.conftest import settings_for

EVERYTHING = (*MEMBERS, *OPERATORS)
COLUMNS = {column for one in EVERYTHING for column in one.columns}
# Numbers by which rows name a person.
BY_NUMBER = {"person_id"}


def test_every_table_is_about_people_or_known_to_be_about_nobody() -> None:
    told = {table for one in EVERYTHING for table in one.tables}
    assert told | NOTHING == set(db.metadata.tables) - {"alembic_version"}
    assert not told & NOTHING


def test_every_column_is_there() -> None:
    there = {f"{table.name}.{column.name}" for table in db.metadata.sorted_tables for column in table.columns}
    assert not COLUMNS - there


def test_whatever_an_erasure_searches_is_told() -> None:
    searched = {f"{place.table}.{column}" for place in PII_COLUMNS for column in place.looks}
    assert searched <= COLUMNS


def test_every_column_that_names_a_person_is_told() -> None:
    named = {
        f"{table.name}.{column.name}"
        for table in db.metadata.sorted_tables
        for column in table.columns
        if column.name in {"person_id", "distinct_id", "identity", "email", "phone_number", "first_name", "last_name"}
    }
    assert named - {"subscription.identity"} <= COLUMNS  # that one says which field is the identity


def test_a_profile_is_told_to_its_last_column() -> None:
    ours = {"id", "project_id", "digest", "named_fields", "created_at", "updated_at", "erased_at"}
    stored = {column.name for column in db.metadata.tables["person"].columns} - ours
    assert stored == {column.partition(".")[2] for column in MEMBERS[0].columns}


@pytest.mark.parametrize("one", EVERYTHING, ids=lambda one: one.title)
def test_how_long_is_said_by_the_settings_that_are_in_force(one: PersonalData, tmp_path: Path) -> None:
    said = one.lasts(settings_for(tmp_path))
    assert said
    if one.setting:
        unit = "hour" if one.setting.endswith("HOURS") else "day"
        assert one.lasts(settings_for(tmp_path, **{one.setting: 1})).startswith(f"1 {unit}")
        assert one.lasts(settings_for(tmp_path, **{one.setting: 17})).startswith(f"17 {unit}s")
    if one.setting.endswith("DAYS"):
        assert one.lasts(settings_for(tmp_path, **{one.setting: 0})) == FOR_EVER


def test_lengths_without_a_setting_are_those_of_the_code() -> None:
    until = {one.title: one.until for one in EVERYTHING}
    assert (until["alerts that were sent"], runner.KEPT) == ("90 days", 90 * DAY)
    assert until["invitations and new passwords by link"] == "a week at most"
    assert max(one_time_links.LASTS.values()) == 7 * DAY
    assert until["what waits for an operator's next page"] == "an hour at most"
    assert max(handover.LASTS.values()) == HOUR


def test_the_documents_say_the_same() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "operating.md").read_text()
    section = page.partition("## What is kept, and how long")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and line != "| | |"]
    assert [row for row in rows if not row.startswith("| sessions with")] == [one.documented for one in MEMBERS]
    assert personal_data.__doc__
