"""The keys that open backups: BACKUP_KEY, and those of BACKUP_KEY_OLD, which open what was made under them."""

from dataclasses import dataclass, field

from config.settings import Settings

OLD = "BACKUP_KEY_OLD"


@dataclass(frozen=True)
class Key:
    """A key, and how it is called in sentences."""

    name: str
    text: str = field(repr=False)


def keys_of(settings: Settings) -> tuple[Key, ...]:
    """Return the key that new backups get, if there is one, and after it the earlier ones, the newest first."""
    first = (Key("BACKUP_KEY", settings.backup_key),) if settings.backup_key else ()
    old = [text for text in settings.backup_key_old if text != settings.backup_key]
    return (*first, *(Key(_named(at, len(old)), text) for at, text in enumerate(old, start=1)))


def _named(at: int, of: int) -> str:
    return OLD if of == 1 else f"{OLD} ({at} of {of})"
