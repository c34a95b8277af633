"""What Linux keeps of a TCP connection, by the names of its `struct tcp_info` (linux/tcp.h), which only ever grows at
its end."""

import ctypes
import fcntl
import socket
import struct
import termios
from typing import ClassVar

_BYTES = ("state", "ca_state", "retransmits", "probes", "backoff", "options", "window_scales", "limits")
_NUMBERS = (
    *("rto", "ato", "snd_mss", "rcv_mss", "unacked", "sacked", "lost", "retrans", "fackets"),
    *("last_data_sent", "last_ack_sent", "last_data_recv", "last_ack_recv"),
    *("pmtu", "rcv_ssthresh", "rtt", "rttvar", "snd_ssthresh", "snd_cwnd", "advmss", "reordering"),
    *("rcv_rtt", "rcv_space", "total_retrans"),
)
_COUNTS = ("pacing_rate", "max_pacing_rate", "bytes_acked", "bytes_received")


class Account(ctypes.Structure):
    """The kernel's account of a connection, down to the last field that we ask for. Times are milliseconds ago."""

    _fields_: ClassVar = [
        *((name, ctypes.c_uint8) for name in _BYTES),
        *((name, ctypes.c_uint32) for name in _NUMBERS),
        *((name, ctypes.c_uint64) for name in _COUNTS),
    ]
    last_data_sent: int
    last_data_recv: int
    bytes_acked: int
    bytes_received: int


def account(one: socket.socket) -> Account:
    """Raises OSError where the connection has ended, ValueError where the kernel is older than 4.1."""
    return Account.from_buffer_copy(one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, ctypes.sizeof(Account)))


def waits_for_reader(one: socket.socket) -> bool:
    """Whether there is something that was sent, and that the other side has not taken. Raises OSError."""
    return bool(struct.unpack("i", fcntl.ioctl(one, termios.TIOCOUTQ, b"\0" * 4))[0])
