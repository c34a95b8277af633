"""Passkeys as a second factor (WebAuthn): a key pair on somebody's device, of which we keep the public half.

A browser lets it answer for our own address alone, so that nobody can be talked into giving it to another page. Each
answer is to a challenge of ours, which the caller takes once. Every function of a database runs inside a transaction of
the caller's.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import Connection, delete, func, select, update
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.parse_authentication_credential_json import parse_authentication_credential_json
from webauthn.helpers.structs import PublicKeyCredentialDescriptor

import models
from models.columns import columns_of
from models.insert_once import insert_once
from security import second_factor
from security.audit import note
from security.operators import Operator, WrongOperator

BY_PASSKEY = "password and passkey"
MOST = 20  # of one operator
LONGEST_NAME = 60  # characters
LONGEST_ANSWER = 16_384  # characters of what a browser says; a few hundred are usual
DEFAULT_PORTS = {"https": 443, "http": 80}
NO_ANSWER = (WebAuthnException, ValueError)  # the library lets errors of base64 through
REFUSED = "This passkey's answer cannot be taken. Try again."


@dataclass(frozen=True)
class Site:
    """For whom browsers keep a passkey: the name of our host, and the origin of our pages."""

    host: str
    origin: str


@dataclass(frozen=True)
class Passkey:
    id: int
    credential_id: bytes
    key: bytes
    uses: int
    name: str
    created_at: int
    last_used_at: int | None


def site(public_url: str) -> Site | None:
    """Return what passkeys are kept for; None where browsers keep none: at a number instead of a name, and without
    https but on the machine itself."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    if _is_number(host) or not (parts.scheme == "https" or host == "localhost" or host.endswith(".localhost")):
        return None
    port = f":{parts.port}" if parts.port not in (None, DEFAULT_PORTS.get(parts.scheme)) else ""
    return Site(host, f"{parts.scheme}://{host}{port}")


def of_operator(db: Connection, operator_id: int) -> list[Passkey]:
    """Return an operator's passkeys, the oldest first."""
    theirs = select(*columns_of(models.Passkey, Passkey)).where(models.Passkey.operator_id == operator_id)
    return [Passkey(*row) for row in db.execute(theirs.order_by(models.Passkey.id))]


def to_create(here: Site, operator: Operator, known: Sequence[Passkey], challenge: bytes) -> str:
    """Return what a browser needs to make one, as JSON. A device that has one already makes no second one."""
    options = webauthn.generate_registration_options(
        rp_id=here.host,
        rp_name=second_factor.ISSUER,
        user_name=operator.email,
        user_id=f"operator {operator.id}".encode(),
        challenge=challenge,
        exclude_credentials=_named(known),
    )
    return webauthn.options_to_json(options)


def to_answer(here: Site, known: Sequence[Passkey], challenge: bytes) -> str:
    """Return what a browser needs to answer with one of these, as JSON."""
    options = webauthn.generate_authentication_options(
        rp_id=here.host, challenge=challenge, allow_credentials=_named(known)
    )
    return webauthn.options_to_json(options)


def add(db: Connection, operator: Operator, name: str, made: tuple[Site, bytes, str], now: int) -> None:
    """Keep a passkey; `made` is for whom, the challenge, and what the browser said. The first second factor of an
    operator signs out every browser. Raises WrongOperator."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise WrongOperator("name", f"Name it in 1 to {LONGEST_NAME} characters, such as the device it is on.")
    values = _verified(*made) | {"operator_id": operator.id, "name": name, "created_at": now}
    if _count(db, operator) >= MOST:
        raise WrongOperator("passkey", f"There are {MOST} passkeys. Remove one first.")
    if not insert_once(db, models.Passkey, "credential_id", values):
        raise WrongOperator("passkey", "This passkey is there already.")
    note(db, now, operator.email, "operator.passkey", operator.email, after={"passkey": name})
    second_factor.start_asking(db, operator, now)


def passed_by(db: Connection, operator: Operator, answered: tuple[Site, bytes, str], now: int) -> str | None:
    """Return in words by what they sign in, None where the answer is not one of their passkeys'. `answered` is for
    whom, the challenge, and what the browser said."""
    here, challenge, said = answered
    try:
        credential = parse_authentication_credential_json(_bounded(said))
        known = {one.credential_id: one for one in of_operator(db, operator.id)}[credential.raw_id]
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=here.host,
            expected_origin=here.origin,
            credential_public_key=known.key,
            credential_current_sign_count=known.uses,
        )
    except (*NO_ANSWER, KeyError):
        return None
    as_it_was = (models.Passkey.id == known.id, models.Passkey.uses == known.uses)
    used = update(models.Passkey).where(*as_it_was).values(uses=verified.new_sign_count, last_used_at=now)
    return BY_PASSKEY if db.execute(used).rowcount == 1 else None


def remove(db: Connection, operator: Operator, passkey_id: int, now: int) -> None:
    """Remove one, and with the last second factor all that belongs to it. Raises WrongOperator where it is not
    theirs."""
    theirs = (models.Passkey.id == passkey_id, models.Passkey.operator_id == operator.id)
    name = db.execute(delete(models.Passkey).where(*theirs).returning(models.Passkey.name)).scalar_one_or_none()
    if name is None:
        raise WrongOperator("passkey", "This passkey is not there any more.")
    note(db, now, operator.email, "operator.passkey_removed", operator.email, before={"passkey": name})
    if _count(db, operator) == 0 and not second_factor.has_app(db, operator):
        second_factor.remove(db, operator, operator.email, now)


def _verified(here: Site, challenge: bytes, said: str) -> dict[str, object]:
    """Return what is kept of a passkey that was made now. Raises WrongOperator."""
    try:
        made = webauthn.verify_registration_response(
            credential=_bounded(said),
            expected_challenge=challenge,
            expected_rp_id=here.host,
            expected_origin=here.origin,
        )
    except NO_ANSWER as error:
        raise WrongOperator("passkey", REFUSED) from error
    return {"credential_id": made.credential_id, "key": made.credential_public_key, "uses": made.sign_count}


def _bounded(said: str) -> str:
    """Return what a browser said; nothing where it is too long to be an answer of a passkey."""
    return said if len(said) <= LONGEST_ANSWER else ""


def _named(known: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=one.credential_id) for one in known]


def _count(db: Connection, operator: Operator) -> int:
    theirs = models.Passkey.operator_id == operator.id
    return int(db.execute(select(func.count()).select_from(models.Passkey).where(theirs)).scalar_one())


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
