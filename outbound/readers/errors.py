"""What every reader raises."""


class UnreadableFile(ValueError):
    """The file cannot be used; says why in a plain sentence, with the line where there is one."""
