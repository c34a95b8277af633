"""Passkeys (WebAuthn), beside a password or instead of one: a key pair on somebody's device, of which we keep the
public half.

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
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

import models
from models.columns import columns_of
from models.insert_once import insert_once
from security import operators, second_factor
from security.audit import note
from security.operators import Operator, WrongOperator

BY_PASSKEY, ALONE = "password and passkey", "passkey"
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
        user_id=_handle(operator),
        challenge=challenge,
        exclude_credentials=_named(known),
        authenticator_selection=AuthenticatorSelectionCriteria(resident_key=ResidentKeyRequirement.PREFERRED),
    )
    return webauthn.options_to_json(options)


def to_answer(here: Site, known: Sequence[Passkey], challenge: bytes) -> str:
    """Return what a browser needs to answer with one of these, as JSON."""
    options = webauthn.generate_authentication_options(
        rp_id=here.host, challenge=challenge, allow_credentials=_named(known)
    )
    return webauthn.options_to_json(options)


def to_answer_alone(here: Site, challenge: bytes) -> str:
    """Return what a browser needs to answer with whichever its device has for us, as JSON. The device has to make sure
    whose it is, by a finger, a face or a PIN: that and the key are two factors."""
    options = webauthn.generate_authentication_options(
        rp_id=here.host, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
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
    credential = _credential(said)
    known = _known(db, operator, credential)
    if credential is None or known is None:
        return None
    uses = _uses(known, here, challenge, credential, is_alone=False)
    return BY_PASSKEY if uses is not None and _note_use(db, known, uses, now) else None


def owner(db: Connection, said: str) -> Operator | None:
    """Return whose passkey a browser names in its answer, which is not verified by that."""
    credential = _credential(said)
    if credential is None:
        return None
    theirs = models.Passkey.credential_id == credential.raw_id
    operator_id = db.execute(select(models.Passkey.operator_id).where(theirs)).scalar_one_or_none()
    return None if operator_id is None else operators.by_id(db, operator_id)


def passed_alone(
    db: Connection, operator: Operator, answered: tuple[Site, bytes, str], asked_at: int, now: int
) -> bool:
    """Tell whether one of their passkeys has answered to a challenge of `asked_at`, and made sure whose it is.

    The challenge of somebody who has said nothing yet is not kept: an answer is taken where the passkey was not used
    since it was asked for, and so once."""
    here, challenge, said = answered
    credential = _credential(said)
    known = _known(db, operator, credential)
    if credential is None or known is None or credential.response.user_handle != _handle(operator):
        return False
    if known.last_used_at is not None and asked_at <= known.last_used_at:
        return False
    uses = _uses(known, here, challenge, credential, is_alone=True)
    return uses is not None and _note_use(db, known, uses, max(now, asked_at))


def _credential(said: str) -> AuthenticationCredential | None:
    """Return what a browser says, in parts; None where it is nothing of a passkey's."""
    try:
        return parse_authentication_credential_json(_bounded(said))
    except NO_ANSWER:
        return None


def _known(db: Connection, operator: Operator, credential: AuthenticationCredential | None) -> Passkey | None:
    named = None if credential is None else credential.raw_id
    return next((one for one in of_operator(db, operator.id) if one.credential_id == named), None)


def _uses(
    known: Passkey, here: Site, challenge: bytes, credential: AuthenticationCredential, *, is_alone: bool
) -> int | None:
    """Return how often a passkey was used by now, by its own count; None where the answer is not its."""
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=here.host,
            expected_origin=here.origin,
            credential_public_key=known.key,
            credential_current_sign_count=known.uses,
            require_user_verification=is_alone,
        )
    except NO_ANSWER:
        return None
    return verified.new_sign_count


def _note_use(db: Connection, known: Passkey, uses: int, now: int) -> bool:
    """Tell whether this is the one use of the passkey as it was read."""
    passkey = models.Passkey
    as_it_was = (
        passkey.id == known.id,
        passkey.uses == known.uses,
        passkey.last_used_at.is_not_distinct_from(known.last_used_at),
    )
    return db.execute(update(passkey).where(*as_it_was).values(uses=uses, last_used_at=now)).rowcount == 1


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


def _handle(operator: Operator) -> bytes:
    """Return by what a device names an operator: nothing that anybody could read."""
    return f"operator {operator.id}".encode()


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
