"""What asks for one's password again, although one is signed in."""

from runtime import current_runtime
from security import operators, sign_in_guard
from security.operators import WrongOperator
from security.rate_limits import count_operator_sign_in


def expect_password(given: str, field: str = "password") -> None:
    """Raises WrongOperator where this is not the password of whoever is signed in, and TooMany."""
    who = sign_in_guard.operator()
    count_operator_sign_in(who.email, sign_in_guard.known_device(who.email))
    if operators.signing_in(current_runtime().database, who.email, given) is None:
        raise WrongOperator(field, "This is not your present password.")
