"""From a stored destination to an adapter that can call it."""

from contextlib import closing

from destinations import destinations, registry
from destinations.contract import Adapter, Check, Opened
from destinations.destinations import Destination
from destinations.settings import all_settings
from models.encryption import DecryptionError
from runtime import Runtime

LOST = "Its secrets were sealed under another SECRET_KEY, or are damaged: give them again."


class CannotOpen(Exception):
    """The destination cannot be used as it is stored; the text is for people."""


def check_type(name: str) -> None:
    """Raises CannotOpen where this version has no type of this name."""
    if name not in registry.TYPES:
        raise CannotOpen(f"This version knows no type {name}.")


def adapter(runtime: Runtime, destination: Destination) -> Adapter:
    """Return an adapter with settings and opened secrets; whoever asked closes it. Raises CannotOpen."""
    check_type(destination.type)
    kind = destination.kind
    try:
        secrets = destination.live_secrets(runtime.cipher, runtime.clock())
    except DecryptionError:
        raise CannotOpen(LOST) from None
    settings = {one.name: one.default for one in all_settings(kind) if not one.secret} | destination.settings
    private = bool(runtime.settings.allow_private_destinations)
    opened = Opened(destination.name, settings, secrets, runtime.clock, private, {"runtime": runtime})
    try:
        return kind.open(opened)
    except (ImportError, ValueError) as error:  # an optional library, an address that is none
        raise CannotOpen(str(error)) from error


def check(runtime: Runtime, destination: Destination) -> Check:
    """Try a destination without changing anything there, and keep what came of it. Raises DatabaseUnavailable."""
    try:
        with closing(adapter(runtime, destination)) as opened:
            found = opened.check()
    except CannotOpen as error:
        found = Check(ok=False, told=str(error))
    now = runtime.clock()
    runtime.database.write(lambda db: destinations.note_check(db, destination, found.told, now))
    return found
