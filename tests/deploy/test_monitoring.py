"""The alert rules and the dashboard ask for numbers that `/metrics` gives, under labels that these have."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import yaml

from tests import servers
from tests.conftest import MakeRelay
from tests.relay import Relay

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NAME = re.compile(r"\bcohort_relay_\w+")
SELECTED = re.compile(r"(cohort_relay_\w+)\{([^}]*)\}")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
PROMETHEUS = {"job", "instance", "le"}


def rules() -> list[dict]:
    return [
        rule
        for group in yaml.safe_load((DEPLOY / "prometheus-alerts.yaml").read_text())["groups"]
        for rule in group["rules"]
    ]


def panels() -> list[dict]:
    return json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"]


def expressions() -> list[str]:
    return [rule["expr"] for rule in rules()] + [target["expr"] for panel in panels() for target in panel["targets"]]


@pytest.fixture
def given(make_relay: MakeRelay, tmp_path: Path) -> dict[str, set[str]]:
    """The labels of each number that `/metrics` gives."""
    relay: Relay = make_relay(redis_url=servers.redis_url(), backup_to=tmp_path)
    relay.refresh(["ada"])
    found: dict[str, set[str]] = {}
    for line in relay.client.get("/metrics").text.splitlines():
        if match := re.match(r"(\w+)(?:\{(.*)\})? ", line):
            found.setdefault(match[1], set()).update(re.findall(r'(\w+)="', match[2] or ""))
    return found


def test_every_number_that_they_ask_for_is_given(given: dict[str, set[str]]) -> None:
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    assert len(asked) > 10
    assert sorted(asked - given.keys()) == []
    for expression in expressions():
        for name, labels in SELECTED.findall(expression):
            assert set(LABEL.findall(labels)) - PROMETHEUS <= given[name], expression


def test_every_number_of_the_documents_is_given_and_the_other_way(given: dict[str, set[str]]) -> None:
    told = set(re.findall(r"`(cohort_relay_\w+)", (DEPLOY.parent / "docs" / "operating.md").read_text()))
    families = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in given if name.startswith("cohort_relay_")}
    families = {name for name in families if f"{name}_total" not in given}
    assert {re.sub(r"_info$", "", name) for name in told} >= {re.sub(r"_info$", "", name) for name in families}


def test_every_rule_says_what_it_means_and_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert all(rule["annotations"][name].endswith(".") for name in ("summary", "description"))


def test_panels_of_the_dashboard_lie_beside_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_promtool_takes_the_rules_and_they_fire_when_they_should() -> None:
    if not (promtool := shutil.which("promtool")):
        servers.missing("promtool, of Debian's package prometheus")
    for words in (("check", "rules", "prometheus-alerts.yaml"), ("test", "rules", "prometheus-alerts.test.yaml")):
        done = subprocess.run([promtool, *words], cwd=DEPLOY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def asked_by(title: str) -> list[str]:
    """What a panel asks for, of the job cohort-relay."""
    (panel,) = [one for one in panels() if one["title"] == title]
    return [target["expr"].replace("$job", "cohort-relay") for target in panel["targets"]]


def shown(title: str, series: dict[str, float]) -> str:
    """Have promtool ask what the panel asks for, a day after 1970; return what it says where that is not 42."""
    given = [{"series": f"{name}", "values": f"{value}x1500"} for name, value in series.items()]
    (expression,) = asked_by(title)
    wanted = {"expr": expression, "eval_time": "24h", "exp_samples": [{"labels": "{}", "value": 42}]}
    return promtool_on({"tests": [{"interval": "1m", "input_series": given, "promql_expr_test": [wanted]}]}, "test")


def promtool_on(content: dict, verb: str) -> str:
    if not (promtool := shutil.which("promtool")):
        servers.missing("promtool, of Debian's package prometheus")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(content, file)
        file.flush()
        done = subprocess.run([promtool, verb, "rules", file.name], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_promtool_takes_what_every_panel_asks_for() -> None:
    asked = [expression for panel in panels() for expression in asked_by(panel["title"])]
    rules = [
        {"record": "one", "expr": each.replace("$__rate_interval", "5m"), "labels": {"at": f"{at}"}}
        for at, each in enumerate(asked)
    ]
    assert promtool_on({"groups": [{"name": "panels", "rules": rules}]}, "check") == ""


def test_the_panels_of_backups_show_age_size_and_trouble() -> None:
    day = 86400
    last = 'cohort_relay_backup_timestamp_seconds{job="cohort-relay", instance="%s"}'
    age = "Age of the last good backup"
    assert shown(age, {last % "a": day - 42, last % "b": day - 42}) == ""
    assert "got: nil" in shown(age, {last % "a": 0}), "before the first one there is no age"
    assert shown("Size of the last good backup", {'cohort_relay_backup_bytes{job="cohort-relay"}': 42}) == ""
    assert shown("Backups that failed or are late", {'cohort_relay_backup_trouble{job="cohort-relay"}': 42}) == ""
