"""Vendors' own descriptions of their interfaces, where a folder of them is named by TEST_DESTINATION_SPECS.

They are not part of the project, because not each of their licences allows it. Where they are there, every far end asks
them about every request; without them it only refuses what it knows by itself.
"""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.mixpanel import Call

FOLDER = os.environ.get("TEST_DESTINATION_SPECS", "")
FORM = "formData"


class Spec:
    """One description, OpenAPI 3 or Swagger 2. `base` is what stands before its paths in the addresses of calls."""

    def __init__(self, path: Path, base: str = "") -> None:
        self._base = base
        text = path.read_text()
        if path.suffix == ".json":
            self._all = json.loads(text)
        else:
            import yaml

            self._all = yaml.load(text, yaml.CSafeLoader)

    def problem(self, call: Call) -> str:
        """What the description has against a request; empty where it has nothing."""
        found = self._operation(call)
        if found is None:
            return f"there is no {call.method} {call.path}"
        item, operation = found
        parameters = [self._whole(one) for one in (*item.get("parameters", []), *operation.get("parameters", []))]
        return self._parameters(call, parameters) or self._body(call, operation, parameters)

    def _operation(self, call: Call) -> tuple[Any, Any] | None:
        for path, item in self._all["paths"].items():
            pattern = re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(path))
            if re.fullmatch(re.escape(self._base) + pattern, call.path) and call.method.lower() in item:
                return item, item[call.method.lower()]
        return None

    def _parameters(self, call: Call, parameters: list[Any]) -> str:
        query = {one["name"]: one for one in parameters if one["in"] == "query"}
        if unknown := {name for name, _ in call.query} - set(query):
            return f"no such parameters: {unknown}"
        for name, value in call.query:
            if problem := _fits(_of_text(value, query[name]["schema"]), query[name]["schema"]):
                return f"{name}: {problem}"
        sent = {name.lower() for name in call.headers} | {name for name, _ in call.query}
        wanted = {one["name"].lower() for one in parameters if one.get("required") and one["in"] in {"query", "header"}}
        lacking = wanted - sent - ({"token"} if "authorization" in sent else set())
        return f"missing: {lacking}" if lacking else ""

    def _body(self, call: Call, operation: Any, parameters: list[Any]) -> str:
        form = {one["name"]: one for one in parameters if one["in"] == FORM}
        if form:
            return _form_problem(call.json, form)
        described = self._whole(operation.get("requestBody"))
        if described is None:
            return "a body that nobody asks for" if call.body else ""
        kind = call.headers.get("Content-Type", "")
        if kind not in described["content"]:
            return f"a body of type {kind}"
        return _fits(call.json, described["content"][kind]["schema"])

    def _whole(self, node: Any) -> Any:
        """The node without references, as JSON Schema has it."""
        while isinstance(node, dict) and "$ref" in node:
            found = self._all
            for part in node["$ref"].lstrip("#/").split("/"):
                found = found[part.replace("~1", "/")]
            node = found
        if isinstance(node, list):
            return [self._whole(one) for one in node]
        if not isinstance(node, dict):
            return node
        whole = {key: self._whole(value) for key, value in node.items() if key not in {"discriminator", "example"}}
        if whole.pop("nullable", False):
            return {"anyOf": [whole, {"type": "null"}]}
        return whole


def _form_problem(body: Any, form: dict[str, Any]) -> str:
    """What a form has against a body of JSON that stands for it."""
    if unknown := set(body) - set(form):
        return f"no such fields: {unknown}"
    if missing := {name for name, one in form.items() if one.get("required")} - set(body):
        return f"missing: {missing}"
    problems = [f"{name}: {_fits(value, {'type': form[name]['type']})}" for name, value in body.items()]
    return next((problem for problem in problems if not problem.endswith(": ")), "")


def _of_text(text: str, schema: Any) -> Any:
    if schema.get("type") == "integer":
        return int(text)
    return text.split(",") if schema.get("type") == "array" else text


def _fits(value: Any, schema: Any) -> str:
    import jsonschema_rs

    try:
        jsonschema_rs.validate(schema, value)
    except jsonschema_rs.ValidationError as error:
        return error.message
    return ""


@cache
def spec(name: str, base: str = "") -> Spec | None:
    """The description in a file of this name; None where it is not there."""
    path = Path(FOLDER) / name
    return Spec(path, base) if FOLDER and path.is_file() else None


def needed(name: str, base: str = "") -> Spec:
    """The description, without which a test has nothing to look at."""
    found = spec(name, base)
    if found is None:
        pytest.skip(f"TEST_DESTINATION_SPECS names no folder with {name}")
    return found
