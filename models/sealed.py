"""What every room may say of a sealed text, also one that knows no cipher."""


class CannotOpen(Exception):
    """What was sealed is damaged, or was sealed under another SECRET_KEY."""
