"""Projects: what is sealed, what is kept, what is refused."""

from dataclasses import replace
from functools import partial

import pytest

from models.encryption import DecryptionError
from outbound import projects
from outbound.projects import Credentials, WrongProject
from security.encryption import Cipher
from tests.outbound.conftest import DRAFT, SECRET, TOKEN, USERNAME, add_project, project_of


def test_credentials_come_back_as_they_were_given(runtime, project):
    assert project.credentials(runtime.cipher) == Credentials(TOKEN, USERNAME, SECRET)


def test_no_credential_stands_in_the_database_in_plain_text(relay):
    stored = repr(relay.rows("SELECT * FROM project"))
    assert not [one for one in (TOKEN, USERNAME, SECRET) if one in stored]


def test_another_key_opens_nothing(project):
    with pytest.raises(DecryptionError):
        project.credentials(Cipher("another key"))


def test_credentials_do_not_show_where_a_value_is_printed(runtime, project):
    assert SECRET not in f"{project.credentials(runtime.cipher)!r} {DRAFT!r}"


def test_a_credential_that_is_not_given_stays(relay, runtime, project):
    draft = replace(DRAFT, secret=None, token="")
    relay.database.write(partial(projects.change, cipher=runtime.cipher, known=project, draft=draft, now=1))
    assert project_of(relay).credentials(runtime.cipher) == Credentials("", USERNAME, SECRET)


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("name", {"name": "No Blanks"}),
        ("name", {"name": ""}),
        ("region", {"region": "moon"}),
        ("project_id", {"mixpanel_project_id": "12a"}),
        ("workspace_id", {"workspace_id": "x"}),
        ("username", {"username": "a:b"}),
        ("secret", {"secret": "two\nlines"}),
    ],
)
def test_what_cannot_be_a_project_is_refused_by_field(field, changed):
    with pytest.raises(WrongProject) as error:
        projects.checked(replace(DRAFT, **changed))
    assert error.value.field == field


def test_a_name_is_taken_once(relay):
    with pytest.raises(WrongProject):
        add_project(relay)


def test_a_cohorts_project_is_found_by_mixpanels_id(relay):
    found = relay.database.read(lambda db: projects.by_mixpanel_id(db, "2891273"))
    assert found is not None
    assert found.name == "prod"
