"""The guard of what everybody may see: a decision, written down beside the registration."""


def anyone() -> None:
    """Let everybody pass: what is behind it holds no member data and no secret."""
