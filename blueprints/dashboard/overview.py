"""The overview: one sentence that says how things are, and what is going on."""

from flask import render_template

from blueprints.dashboard import blueprint


@blueprint.get("/")
def overview() -> str:
    return render_template("dashboard/overview.html")
