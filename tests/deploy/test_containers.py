"""What the image, the composition and the manifests name is there: files, commands, paths, ports, settings, secrets."""

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import create_app
from config.settings_table import SETTINGS
from tests.conftest import settings_for
from tests.test_architecture import ROOMS

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
KNOWN = {one.name for one in SETTINGS} | {f"{one.name}_FILE" for one in SETTINGS if one.secret}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = ("migrate", "web", "worker")


def manifests() -> list[dict[str, Any]]:
    found = [one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text())]
    return [one for one in found if one["kind"] != "Kustomization"]


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    return [one for one in manifests() if one["kind"] in kinds]


def pods() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for one in of_kind("Deployment", "Job"):
        pod = one["spec"]["template"]["spec"]
        yield one["metadata"]["name"], pod, pod["containers"][0]


@pytest.fixture
def app(tmp_path: Path):
    app = create_app(settings_for(tmp_path))
    yield app
    app.extensions["runtime"].database.dispose()


def commands() -> list[list[str]]:
    started = [COMPOSE["services"][name]["command"] for name in OURS] + [one["command"] for _name, _pod, one in pods()]
    return [*started, ["flask", "serve"]]


def test_every_command_is_one_of_the_terminal_with_options_that_it_has(app) -> None:
    for flask, *words in commands():
        assert flask == "flask"
        shown = app.test_cli_runner().invoke(args=[*words, "--help"])
        assert shown.exit_code == 0, words
        assert "Usage:" in shown.output


def test_every_path_that_is_asked_for_is_answered(app) -> None:
    probed = [
        container[probe]["httpGet"]["path"]
        for _name, _pod, container in pods()
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        if probe in container
    ]
    asked = {*probed, *re.findall(r"'(/\w+)'", DOCKERFILE)}
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert {"/healthz", "/readyz"} == asked
    assert asked | {"/metrics"} <= rules


def test_every_setting_is_one_that_there_is() -> None:
    named = set(COMPOSE["services"]["web"]["environment"])
    named |= {name for one in of_kind("ConfigMap") for name in one["data"]}
    named |= set(re.findall(r"^    ([A-Z_]+)=", DOCKERFILE, re.MULTILINE)) - {"PYTHONDONTWRITEBYTECODE", "HOME"}
    assert len(named) > 8
    assert named <= KNOWN


def test_every_secret_is_a_file_and_is_given(tmp_path: Path) -> None:
    given = {f"/run/secrets/{name}" for name in COMPOSE["secrets"]}
    web = COMPOSE["services"]["web"]
    assert {value for name, value in web["environment"].items() if name.endswith("_FILE")} <= given
    assert {f"/run/secrets/{name}" for name in web["secrets"]} <= given
    [secret], [settings] = of_kind("Secret"), of_kind("ConfigMap")
    in_files = {value.rpartition("/")[2] for name, value in settings["data"].items() if name.endswith("_FILE")}
    assert in_files == set(secret["stringData"])


def test_ports_are_the_ones_that_the_server_listens_on() -> None:
    port = re.search(r"PORT=(\d+)", DOCKERFILE)[1]
    assert f"EXPOSE {port}" in DOCKERFILE
    assert COMPOSE["services"]["proxy"]["environment"]["RELAY_WEB"] == f"web:{port}"
    [ports] = [one["ports"] for name, _pod, one in pods() if name == "web"]
    assert ports == [{"name": "http", "containerPort": int(port)}]


def test_containers_may_do_nothing_but_what_they_must() -> None:
    for name in OURS:
        service = COMPOSE["services"][name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    for _name, pod, container in pods():
        assert pod["securityContext"]["runAsNonRoot"]
        assert f"USER {pod['securityContext']['runAsUser']}:" in DOCKERFILE
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert not container["securityContext"]["allowPrivilegeEscalation"]
        mounted = {one["name"] for one in container["volumeMounts"]}
        assert mounted == {one["name"] for one in pod["volumes"]}


def test_others_wait_for_the_migration() -> None:
    for name in ("web", "worker"):
        assert COMPOSE["services"][name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert [one["metadata"]["name"] for one in of_kind("Job")] == ["migration"]


def test_every_manifest_but_the_example_is_applied_and_every_selector_finds_somebody() -> None:
    [kustomization] = [
        one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text()) if one["kind"] == "Kustomization"
    ]
    assert {*kustomization["resources"], "kustomization.yaml", "secret.example.yaml"} == {one.name for one in MANIFESTS}
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in of_kind("Deployment", "Job")]
    for one in of_kind("Deployment", "PodDisruptionBudget"):
        wanted = one["spec"]["selector"]["matchLabels"]
        assert any(wanted.items() <= found.items() for found in labels), one


def test_the_image_holds_every_room_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    taken = {line[1:] for line in lines if line.startswith("!")}
    rooms = {name if (ROOT / name).is_dir() else f"{name}.py" for name in ROOMS}
    needed = {*rooms, "app.py", "migrations", "templates", "translations", "static", "pyproject.toml"}
    beside = {"LICENSE", "requirements*.txt", "package.json", "package-lock.json", "vendored.mjs", "icons.mjs"}
    assert taken == needed | beside
    assert all(any(ROOT.glob(name)) for name in taken)


def locked(name: str) -> set[str]:
    """The versions that a lock file names."""
    return set(re.findall(r"^[\w.-]+==[^ ;]+", (ROOT / name).read_text(), re.MULTILINE))


def test_the_image_has_all_options_of_the_app_at_the_versions_that_it_is_tested_with() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"].values()
    wanted = {one.partition(">=")[0] for option in options for one in option}
    image = locked(re.search(r"ARG REQUIREMENTS=(\S+)", DOCKERFILE)[1])
    assert wanted <= {one.partition("==")[0] for one in image}
    assert locked("requirements.txt") <= image <= locked("requirements-dev.txt")


def test_secrets_are_made_once_and_fit_the_composition(tmp_path: Path) -> None:
    script = tmp_path / "deploy" / "make-secrets"
    script.parent.mkdir()
    script.write_bytes((DEPLOY / "make-secrets").read_bytes())
    script.chmod(0o755)

    def made() -> dict[str, str]:
        subprocess.run([script], check=True, capture_output=True)
        return {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}

    first = made()
    assert made() == first
    assert {f"./secrets/{name}" for name in first} == {one["file"] for one in COMPOSE["secrets"].values()}
    assert len(first["secret_key"]) == 64
    postgres = COMPOSE["services"]["postgres"]["environment"]
    wanted = (
        f"postgresql://{postgres['POSTGRES_USER']}:{first['database_password']}@postgres:5432/{postgres['POSTGRES_DB']}"
    )
    assert first["database_url"] == wanted
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    environ = {
        name: str(tmp_path / "secrets" / name.removesuffix("_FILE").lower())
        for name in ("DATABASE_URL_FILE", "SECRET_KEY_FILE")
    }
    assert os.fspath(settings_for_files(tmp_path, environ).database_url).endswith("/relay")


def settings_for_files(folder: Path, environ: dict[str, str]):
    from config.settings import load

    return load({"INSTANCE_PATH": str(folder / "instance")} | environ)
