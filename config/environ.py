"""Names in a request's environ that the server's process writes and the app reads."""

TOO_BUSY = "cohort_relay.too_busy"  # the call is one too many of its caller's
