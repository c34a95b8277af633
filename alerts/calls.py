"""One call to a mail server or a webhook: within limits, and only to where it may go."""

import socket

from outbound.transport.addresses import Policy, hold
from outbound.transport.deadline import Deadline

TIMEOUT = 10  # seconds for each step
WITHIN = 30.0  # seconds for the whole of a message, however slowly the other side talks


class NotDelivered(Exception):
    """The other side did not take the message; says in a few words why."""


class Held(Deadline):
    """A deadline that lets go of a connection whose other end must not be called."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(WITHIN)
        self._policy = policy

    def show(self, connected: socket.socket) -> None:
        hold(connected, self._policy)
        super().show(connected)
