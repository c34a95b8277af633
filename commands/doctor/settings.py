"""Whether the settings are what was meant, and can be kept."""

import difflib
import tempfile

from commands.doctor.check import Check, fail, ok, warn
from config import instance_files, secret_files
from config.settings import SETTINGS, Settings


def settings_file(settings: Settings) -> Check:
    """Check whether `.env` names only settings that exist; a wrong value already stopped the start."""
    in_files = {f"{setting.name}{secret_files.ENDING}" for setting in SETTINGS if setting.secret}
    unknown = sorted(instance_files.stored(settings.instance / ".env").keys() - settings.origins.keys() - in_files)
    if not unknown:
        chosen = sum(origin != "default" for origin in settings.origins.values())
        return ok("settings", f"{chosen} chosen, {len(SETTINGS) - chosen} by default")
    close = difflib.get_close_matches(unknown[0], settings.origins, 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return warn("settings", f".env names {', '.join(unknown)}, which is no setting{hint}", "See docs/settings.md")


def instance_folder(settings: Settings) -> Check:
    try:
        with tempfile.TemporaryFile(dir=settings.instance):
            return ok("instance folder", f"{settings.instance} can be written")
    except OSError as error:
        step = "Give the app's user write access to it, or set INSTANCE_PATH"
        return fail("instance folder", f"{settings.instance} cannot be written: {instance_files.why(error)}", step)
