"""Reading the settings, whose table is `config.settings_table`.

Settings come from environment variables, then from ``instance/.env``, then from the defaults below. A value that
cannot be read stops the start and names itself (`WrongSetting`). Instead of a secret its file may be named, as
``NAME_FILE`` (`config.secret_files`).
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from config import instance_files, secret_files, secret_key_file
from config.database_url import DRIVER, SQLITE, sqlite_file
from config.instance_files import WrongSetting
from config.parsers import WrongValue, bracketed, readable
from config.setting import Setting
from config.settings_table import SETTINGS

__all__ = ["SETTINGS", "Setting", "Settings", "WrongSetting", "load", "settings_shown"]

ROOT = Path(__file__).resolve().parent.parent
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


class Settings(SimpleNamespace):
    """The parsed settings: one attribute a setting, in lower case (``settings.max_body_mb``).

    ``origins`` maps each name to where its value came from: ``environment``, ``.env``, ``default`` or a secret's
    file. ``made_key`` says that the key's file was not there and has been made, ``key_file`` which file was read; None
    where the key is set.
    """

    origins: dict[str, str]
    instance: Path
    made_key: bool
    key_file: secret_key_file.Mark | None
    set_old_keys: tuple[str, ...]

    def __getattr__(self, name: str) -> Any:  # only reached for a name that is no setting
        raise AttributeError(f"no setting {name!r}")

    def forget_made_key(self) -> None:
        """Remove the key's file where we have just made it: the earlier one is missing, and this one is no use."""
        file = self.instance / secret_key_file.NAME
        if self.made_key and file.is_file() and file.read_text().strip() == self.secret_key:
            file.unlink(missing_ok=True)

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """SECRET_KEY, and after it the earlier ones, which still open and find what was stored under them."""
        return (self.secret_key, *self.secret_key_old)

    def keys_now(self) -> tuple[str, ...]:
        """The same, after a look at the key's file."""
        self.follow_key_file()
        return self.secret_keys

    def follow_key_file(self) -> bool:
        """Take the keys of the file where it is another one by now; tell whether it was. Costs a stat."""
        file = self.instance / secret_key_file.NAME
        if self.key_file is None or (mark := secret_key_file.mark(file)) in {None, self.key_file}:
            return False
        with suppress(OSError, WrongSetting):  # the keys of before go on
            self.use_keys(secret_key_file.keys_in(file))
        self.key_file = mark
        return True

    def use_keys(self, keys: tuple[str, ...]) -> None:
        """Take these as the keys of the file, that of now first."""
        self.secret_key_old = tuple(dict.fromkeys((*keys[1:], *self.set_old_keys)))
        self.secret_key = keys[0]  # after the others: at each moment the earlier key is among those that open

    @property
    def on_sqlite(self) -> bool:
        return bool(self.database_url.startswith("sqlite"))


def settings_shown(settings: Settings) -> list[dict[str, str]]:
    """Return every setting with its name, the value in use and where that comes from; a secret is `[masked]`."""
    return [
        {"name": setting.name, "value": _shown(settings, setting), "origin": settings.origins[setting.name]}
        for setting in SETTINGS
    ]


def _shown(settings: Settings, setting: Setting) -> str:
    if setting.secret:
        return "" if settings.origins[setting.name] == "default" else "[masked]"
    return str(getattr(settings, setting.name.lower()))


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings; the instance folder is made if it is missing.

    Raises WrongSetting where a value cannot be read.
    """
    environ = os.environ if environ is None else environ
    instance = instance_files.made(environ.get("INSTANCE_PATH") or "instance", ROOT)
    stored = instance_files.stored(instance / ".env")
    settings = Settings(origins={}, instance=instance)
    for setting in SETTINGS:
        value, origin = _find(setting, (environ, stored), instance)
        setattr(settings, setting.name.lower(), _parse(setting, value, origin))
        settings.origins[setting.name] = origin
    _hold_single_sign_on(settings)
    _hold_replica(settings)
    if not settings.database_url or settings.on_sqlite:  # a relative file lies in the instance folder too
        file = sqlite_file(settings.database_url) if settings.database_url else Path("cohort-relay.db")
        settings.database_url = f"{SQLITE}{instance / file}"
    settings.public_url = settings.public_url or _listening(settings.host, settings.port)
    _find_keys(settings, instance / secret_key_file.NAME)
    return settings


def _find_keys(settings: Settings, file: Path) -> None:
    settings.set_old_keys, settings.key_file = settings.secret_key_old, None
    settings.made_key = not settings.secret_key and not file.exists()
    if settings.secret_key:
        return
    try:
        secret_key_file.keys_in(file)  # makes it where there is none
        settings.key_file, keys = secret_key_file.mark(file), secret_key_file.keys_in(file)
    except OSError as error:
        raise WrongSetting(f"{file} cannot be read or written: {instance_files.why(error)}.") from None
    settings.use_keys(keys)


def _hold_single_sign_on(settings: Settings) -> None:
    """Raises WrongSetting where a provider is half described: nobody could sign in by it."""
    needed = ("OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_ROLES")
    missing = [name for name in needed if not getattr(settings, name.lower())]
    if settings.oidc_issuer and missing:
        raise _wrong(settings, "OIDC_ISSUER", f"OIDC_ISSUER is set; {' and '.join(missing)} must be too.")
    if settings.oidc_only and not settings.oidc_issuer:
        raise _wrong(settings, "OIDC_ONLY", "OIDC_ONLY is on and OIDC_ISSUER is empty: nobody could sign in.")


def _hold_replica(settings: Settings) -> None:
    """Raises WrongSetting where a replica is named that there cannot be."""
    addresses = (settings.database_url, settings.database_read_url)
    if settings.database_read_url and not all(address.startswith(DRIVER) for address in addresses):
        raise _wrong(
            settings,
            "DATABASE_READ_URL",
            "it or DATABASE_URL is not an address of PostgreSQL, and there are replicas of that alone.",
        )


def _wrong(settings: Settings, name: str, sentence: str) -> WrongSetting:
    """Return that a setting which can be read does not fit the others, in the words of one that cannot."""
    return WrongSetting(f"{name} (from {settings.origins[name]}): {sentence}")


def _listening(host: str, port: int) -> str:
    """Return the address of a server that listens there; one that listens everywhere is reached on this machine."""
    return f"http://{bracketed('localhost' if host in EVERYWHERE else host)}:{port}"


def _find(setting: Setting, given: tuple[Mapping[str, str], Mapping[str, str]], instance: Path) -> tuple[str, str]:
    """Return the setting's text and where it comes from; `given` are the environment and .env."""
    value, origin = _given(setting.name, given)
    if setting.secret:
        named = f"{setting.name}{secret_files.ENDING}"
        file, named_by = _given(named, given)
        if file and value:
            raise WrongSetting(
                f"{setting.name} (from {origin}) and {named} (from {named_by}) are both set. Remove one of them."
            )
        if file:
            return secret_files.value_in(setting.name, file, instance)
    return (value, origin) if value else (setting.default, "default")


def _given(name: str, given: tuple[Mapping[str, str], Mapping[str, str]]) -> tuple[str, str]:
    environ, stored = given
    return (environ[name], "environment") if environ.get(name) else (stored.get(name) or "", ".env")


def _parse(setting: Setting, value: str, origin: str) -> Any:
    try:
        return setting.parse(readable(value))
    except ValueError as error:
        shown = "its value" if setting.secret else repr(value)
        expected = str(error) if isinstance(error, WrongValue) else (setting.parse.__doc__ or "a usable value").strip()
        raise WrongSetting(f"{setting.name} (from {origin}): {shown} is not {expected}.") from None
