"""The first page: that the relay runs, and the steps to a first synced cohort. It shows nothing of what is stored,
because nobody has signed in."""

from flask import render_template

from blueprints.dashboard import blueprint
from security.house import house


@blueprint.get("/")
def welcome() -> str:
    return render_template("dashboard/welcome.html", public_url=house().settings.public_url)
