"""A second factor that the settings demand comes before anything else, and none where it is off."""

import re

import pytest

from tests.conftest import MakeRelay
from tests.dashboard.test_second_factor import code_of, first_step, set_up
from tests.relay import PASSWORD


@pytest.mark.parametrize(
    ("setting", "role", "demanded"),
    [
        ("admins", "admin", True),
        ("admins", "operator", False),
        ("everyone", "viewer", True),
        ("optional", "admin", False),
    ],
)
def test_who_has_to_have_one_sets_it_up_before_anything_else(
    make_relay: MakeRelay, setting: str, role: str, demanded: bool
) -> None:
    relay = make_relay(second_factor=setting)
    somebody = relay.sign_in(role)
    assert (somebody.get("/cohorts").location == "/account/second-factor") is demanded
    if demanded:
        page = somebody.page("/account/second-factor")
        assert "the dashboard opens" in page
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token is not None
        form = {"csrf_token": token[1], "password": PASSWORD}
        page = somebody.client.post("/account/second-factor/begin", data=form, follow_redirects=True).text
        secret = re.search(r'data-copy="([A-Z2-7]{32})"', page)
        assert secret is not None
        form["code"] = code_of(secret[1], relay)
        somebody.client.post("/account/second-factor/confirm", data=form)
        assert somebody.get("/cohorts").status_code == 200


def test_where_it_is_demanded_fragments_and_forms_wait_too(make_relay: MakeRelay) -> None:
    relay = make_relay(second_factor="everyone")
    admin = relay.sign_in("admin")
    assert admin.get("/needing", headers={"HX-Request": "true"}).status_code == 401
    page = re.search(r'name="csrf_token" value="([^"]+)"', admin.page("/account/second-factor"))
    assert page is not None
    form = {"csrf_token": page[1], "email": "eve@example.org", "role": "admin", "password": "quite a long phrase"}
    assert admin.client.post("/settings/operators", data=form).status_code == 401
    assert len(relay.rows("SELECT id FROM operator")) == 1


def test_where_it_is_off_nobody_is_asked(make_relay: MakeRelay) -> None:
    relay = make_relay(second_factor="off")
    ada = relay.sign_in("viewer")
    set_up(ada)
    _client, answer = first_step(relay, ada.email)
    assert answer.location == "/"
