"""What every reader raises."""


class Unreadable(ValueError):
    """The file cannot be used; says why in a plain sentence, with the line where there is one."""
