"""Who reaches the relay, and how calls are counted: the public address, and Redis."""

import ssl
from ipaddress import ip_address
from urllib.parse import urlsplit

from commands.doctor.check import Check, ok, warn
from config.settings import Settings
from outbound.transport import certificates
from security.rate_limit_storage import redis_options

SECONDS_FOR_REDIS = 2
REACHABLE = "Set PUBLIC_URL to the https:// address under which Mixpanel can reach this app"


def public_url(settings: Settings) -> Check:
    """Check the public address: Mixpanel must reach us from the internet, over https, because it sends a password with
    every call."""
    name, address = "public address", urlsplit(settings.public_url)
    if is_loopback(address.hostname or ""):
        return warn(name, f"{settings.public_url} is reached from this machine alone", REACHABLE)
    if address.scheme != "https":
        return warn(name, f"{settings.public_url} sends passwords and members in the open", REACHABLE)
    if not settings.trusted_proxies:
        step = "Set TRUSTED_PROXIES to the number of proxies in front, so that limits count the callers' own addresses"
        return warn(name, f"{settings.public_url} needs a proxy for https, and TRUSTED_PROXIES is 0", step)
    return ok(name, settings.public_url)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches `host`; 0.0.0.0 and :: mean "every address", which is none to call."""
    try:
        return ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def rate_limits(settings: Settings) -> Check:
    if not settings.redis_url and settings.processes > 1:
        found = f"each of {settings.processes} processes counts for itself, so that callers may call as often at each"
        return warn("rate limits", found, "Set REDIS_URL, so that they count together")
    if not settings.redis_url:
        return ok("rate limits", "counted in memory, by each process for itself")
    import redis  # noqa: PLC0415 - a fifth of a second that no other command should pay

    try:
        wait = {"socket_connect_timeout": SECONDS_FOR_REDIS, "socket_timeout": SECONDS_FOR_REDIS}
        redis.Redis.from_url(settings.redis_url, **redis_options() | wait).ping()
    except (redis.RedisError, ValueError) as error:
        cause = error.__cause__ or error.__context__
        why = certificates.reason([cause]) if isinstance(cause, ssl.SSLCertVerificationError) else type(error).__name__
        found = f"Redis does not answer ({why}); each process counts in memory until it does"
        return warn("rate limits", found, "Start Redis, or correct REDIS_URL")
    return ok("rate limits", "counted in Redis")
