"""A connection may be bound to Mixpanel projects: its password then opens no others."""

import json

import pytest

from security import connections
from security.connections import WrongName
from tests.relay import Relay


def bind(relay: Relay, *projects: str) -> None:
    relay.database.write(lambda db: connections.bind(db, relay.name, projects))


def test_a_connection_that_is_bound_to_nothing_writes_every_project(relay: Relay) -> None:
    for project in ("1", "2"):
        relay.refresh(["A"], project=project)
    assert (relay.members(project="1"), relay.members(project="2")) == ({"A"}, {"A"})


@pytest.mark.parametrize("action", ["members", "add_members", "remove_members"])
@pytest.mark.parametrize("project", ["2", None, "unknown", "11", ""])
def test_a_bound_connection_writes_its_projects_and_no_others(relay: Relay, action: str, project: str | None) -> None:
    relay.refresh(["A", "B"], session="before", project="1")
    relay.refresh(["A", "B"], session="before", project=project)
    bind(relay, "1")
    relay.refresh(["A"], session="after", project="1")
    answer = relay.post(action, ["C"], session="after", project=project)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json["action"] == action  # type: ignore[index]
    assert relay.members(project="1") == {"A"}
    assert relay.members(project=project or "unknown") == {"A", "B"}
    (failure,) = relay.failures()
    assert (failure["cause"], failure["connection"], failure["cohort_id"]) == ("other_project", "crm", "7")


def test_a_bound_connection_still_receives_its_own_simulated_export(relay: Relay) -> None:
    bind(relay, "1")
    relay.refresh(["A"], cohort="simulated-crm", project="1000001")
    assert relay.post("members", ["A"], cohort="simulated-other", project="1000001").status_code == 503


def test_a_person_allows_the_project_from_the_failure_and_the_next_call_counts(relay: Relay) -> None:
    bind(relay, "1")
    assert relay.post("members", ["A"], project="2").status_code == 503
    (failure,) = relay.failures()
    page = relay.sign_in("viewer").page(f"/failures/{failure['id']}")
    assert "A project that the connection may not write" in page
    assert "Let crm write project 2" not in page
    operator = relay.sign_in("operator")
    assert "Let crm write project 2" in operator.page(f"/failures/{failure['id']}")
    operator.post("/connections/crm/projects", {"allow": "2"})
    relay.refresh(["A"], project="2")
    relay.refresh(["A"], project="1")
    assert relay.post("members", ["A"], project="3").status_code == 503


def test_the_connections_page_binds_and_frees_it_and_a_viewer_may_not(relay: Relay) -> None:
    operator = relay.sign_in("operator")
    operator.post("/connections/crm/projects", {"projects": "1, 22\n333"})
    assert relay.database.read(lambda db: connections.one(db, "crm")).projects == ("1", "22", "333")
    assert "1, 22, 333" in operator.page("/connections/crm")
    assert relay.sign_in("viewer").post("/connections/crm/projects", {"projects": ""}).status_code == 403
    assert relay.post("members", ["A"], project="4").status_code == 503
    operator.post("/connections/crm/projects", {"projects": " "})
    relay.refresh(["A"], project="4")
    (first, last) = relay.rows("SELECT after FROM audit_entry WHERE action = 'connection.projects' ORDER BY id")
    assert "333" in json.dumps(first["after"])
    assert "333" not in json.dumps(last["after"])


def test_the_terminal_binds_and_frees_it(relay: Relay) -> None:
    run = relay.app.test_cli_runner().invoke
    assert run(args=["connections", "projects", "crm", "1", "2"]).exit_code == 0
    assert json.loads(run(args=["connections", "list", "--json"]).stdout)[0]["projects"] == ["1", "2"]
    assert relay.post("members", ["A"], project="3").status_code == 503
    assert run(args=["connections", "projects", "crm"]).exit_code == 2
    assert run(args=["connections", "projects", "crm", "--all"]).exit_code == 0
    relay.refresh(["A"], project="3")


@pytest.mark.parametrize("projects", [["x" * 256], [str(number) for number in range(101)], ["a\0b"]])
def test_what_can_be_no_project_is_refused(relay: Relay, projects: list[str]) -> None:
    with pytest.raises(WrongName, match="At most 100 projects"):
        bind(relay, *projects)
