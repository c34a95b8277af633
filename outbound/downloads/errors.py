"""How an answer can end before it is whole."""


class BrokenOff(Exception):
    """The answer is not whole; the message says why. What passed before it is good."""


class Refused(BrokenOff):
    """It is an error instead of an answer."""


class Cancelled(BrokenOff):
    """Somebody asked to stop it, or nobody reads any more."""
