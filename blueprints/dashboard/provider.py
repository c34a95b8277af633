"""The company's OpenID provider: the code flow with PKCE, state and nonce, by Authlib.

Whatever goes wrong there is a `Refused` with a sentence for people. Calls have a deadline for all of a step; what the
provider says of itself is read once a process.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from authlib.integrations.base_client.errors import MismatchingStateError, OAuthError
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask, current_app, session
from flask.typing import ResponseReturnValue
from joserfc.errors import ExpiredTokenError, JoseError

from config.settings import Settings
from outbound.transport.deadline import Deadline, WatchedAdapter
from security.provider_accounts import LONGEST_SUBJECT, MOST_GROUPS, Person

NAME = "single_sign_on"
DISCOVERY = "/.well-known/openid-configuration"
WITHIN, STEP_WITHIN = 15.0, 10  # seconds for all calls of a step, and for each
LEEWAY = 60  # seconds that clocks may differ
ALGORITHMS = {f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)} | {"EdDSA", "Ed25519"}
_CODE = re.compile(r"[a-z_]{1,40}")
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RuntimeError)


class Refused(Exception):
    """Nobody is signed in; `outcome` is a stable word for the log, the message a sentence for people."""

    def __init__(self, outcome: str, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


class _Session(OAuth2Session):  # type: ignore[misc]  # Authlib has no types
    """Calls under the deadline of the step, and to nobody but whom we name."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for scheme in ("http://", "https://"):
            self.mount(scheme, WatchedAdapter())


class _Client(FlaskOAuth2App):  # type: ignore[misc]  # Authlib has no types
    OAUTH_APP_CONFIG = None
    client_cls = _Session


def init_app(app: Flask, settings: Settings) -> None:
    if not settings.oidc_issuer:
        return
    app.extensions[NAME] = OAuth(app).register(
        "provider",
        client_cls=_Client,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        server_metadata_url=settings.oidc_issuer.rstrip("/") + DISCOVERY,
        client_kwargs={
            "scope": settings.oidc_scopes,
            "code_challenge_method": "S256",
            "default_timeout": STEP_WITHIN,
        },
    )


def redirect_to(back: str) -> ResponseReturnValue:
    """Send the browser to the provider, which sends it to `back`. Raises Refused."""
    for name in [name for name in session if name.startswith("_state_provider_")]:
        session.pop(name)  # one sign-in at a time: a cookie holds 4 KB
    with _asked() as client:
        answer: ResponseReturnValue = client.authorize_redirect(back)
    return answer


def arrived(settings: Settings) -> Person:
    """Return whom the provider has sent to this address. Raises Refused."""
    with _asked() as client:
        wanted = {
            "iss": {"essential": True, "values": [client.server_metadata["issuer"]]},
            "aud": {"essential": True, "value": settings.oidc_client_id},
        }
        token = client.authorize_access_token(claims_options=wanted, leeway=LEEWAY)
        if not token.get("userinfo"):
            raise Refused("no_id_token", "The provider sent no id token. Its client has to be one of OpenID Connect.")
        said = dict(token["userinfo"])
        said = _more(client, token, said) | said
    return _person(said, settings.oidc_group_claim)


def sign_out_address(settings: Settings, back: str) -> str | None:
    """Return where one signs out of the provider too, if it says so."""
    try:
        with _asked() as client:
            if not client.server_metadata.get("end_session_endpoint"):
                return None
            made = client.create_logout_url(post_logout_redirect_uri=back, client_id=settings.oidc_client_id)
    except Refused:
        return None
    return str(made["url"])


def _more(client: Any, token: Any, said: dict[str, Any]) -> dict[str, Any]:
    """Return what the provider says of them where it is asked, which many do not put into the token."""
    if not client.server_metadata.get("userinfo_endpoint"):
        return {}
    more = dict(client.userinfo(token=token))
    if more.get("sub") != said.get("sub"):
        raise Refused("other_person", "The provider speaks of two different people. Begin again.")
    return more


def _person(said: dict[str, Any], group_claim: str) -> Person:
    subject, email = said.get("sub"), said.get("email")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or "\0" in subject:
        raise Refused("no_subject", "The provider does not say who you are (sub).")
    is_verified = said.get("email_verified") in {True, "true"} and isinstance(email, str)
    return Person(f"{said['iss']} {subject}", str(email) if is_verified else None, _groups(said, group_claim))


def _groups(said: dict[str, Any], claim: str) -> tuple[str, ...]:
    """Return the groups of a claim; one that is not there by its whole name is looked for step by step (`a.b`)."""
    found: Any = said.get(claim)
    if found is None:
        found = said
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    groups = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return tuple(group for group in groups[:MOST_GROUPS] if isinstance(group, str))


@contextmanager
def _asked() -> Iterator[Any]:
    """The client, once we know that the provider is the one that we mean. Raises Refused for all that goes wrong."""
    client = current_app.extensions[NAME]
    try:
        with Deadline(WITHIN):
            _know(client)
            yield client
    except Refused:
        raise
    except MismatchingStateError:
        raise Refused(
            "state", "This sign-in was begun in another browser or too long ago, or it has been used. Begin again."
        ) from None
    except OAuthError as error:
        raise _told(error) from None
    except OSError:  # of the network, or an answer that is none
        raise Refused("away", "The provider does not answer as it should. Try again in a moment.") from None
    except ExpiredTokenError:
        raise Refused(
            "expired", "What the provider sent has expired. Begin again; if it happens again, compare the clocks."
        ) from None
    except JoseError as error:
        raise Refused(
            "forged", f"What the provider sent does not hold ({_claim(error)}). Nobody is signed in."
        ) from None
    except UNREADABLE:
        raise Refused("unreadable", "What the provider sent cannot be read. Nobody is signed in.") from None


def _know(client: Any) -> None:
    """Read what the provider says of itself, hold it to the issuer that we were told, and to signatures that it alone
    can make."""
    settings = current_app.extensions["runtime"].settings
    known = client.load_server_metadata()
    if str(known.get("issuer", "")).rstrip("/") != settings.oidc_issuer.rstrip("/"):
        client.server_metadata.clear()
        raise Refused("issuer", "The provider says that it is another one than OIDC_ISSUER. Nobody is signed in.")
    if "checked" not in known:
        said = known.get("id_token_signing_alg_values_supported") or ["RS256"]
        known["id_token_signing_alg_values_supported"] = [one for one in said if one in ALGORITHMS]
        known["checked"] = True


def _told(error: OAuthError) -> Refused:
    word = str(error.error)
    word = word if _CODE.fullmatch(word) else "an unknown error"
    if word == "access_denied":
        return Refused(
            word, "The provider did not let you in (access_denied). Ask whoever runs it for this application."
        )
    return Refused("provider", f"The provider refused this sign-in ({word}). Begin again.")


def _claim(error: JoseError) -> str:
    word = str(getattr(error, "claim_name", "") or getattr(error, "error", ""))
    return word if _CODE.fullmatch(word) else "signature"
