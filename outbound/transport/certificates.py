"""Why the certificate of a server is not to be trusted, in words that an operator can do something with."""

import ssl
from collections.abc import Iterable

UNTRUSTED = "its certificate is not to be trusted"
NO_TLS = "no encrypted connection came about"
# By the number that OpenSSL gives (X509_V_ERR_...).
_REASONS = {
    9: "its certificate is not valid yet, or this machine's clock is behind",
    10: "its certificate has expired, or this machine's clock is ahead",
    **dict.fromkeys((18, 19, 20, 21), "nobody whom this machine trusts has signed its certificate"),
    **dict.fromkeys((62, 64), "its certificate is for another name"),
}


def reason(causes: Iterable[BaseException]) -> str:
    """Return it for an error, given with whatever it wraps; empty where it has nothing to do with TLS."""
    found = [cause for cause in causes if isinstance(cause, ssl.SSLError)]
    numbers = [cause.verify_code for cause in found if isinstance(cause, ssl.SSLCertVerificationError)]
    if numbers:
        return _REASONS.get(numbers[0], UNTRUSTED)
    return NO_TLS if found else ""
