"""Settings as they are in use: every value, where it comes from, and how long things are kept."""

from flask import render_template

from blueprints.dashboard import blueprint
from config.settings import SETTINGS, settings_shown
from erasure.personal_data import MEMBERS
from runtime import current_runtime


@blueprint.get("/settings")
def show_settings() -> str:
    settings = current_runtime().settings
    rows = [shown | {"help": setting.help} for shown, setting in zip(settings_shown(settings), SETTINGS, strict=True)]
    return render_template("dashboard/settings/general.html", rows=rows, settings=settings, kept=MEMBERS)
