"""Python's garbage collector held back while the app is imported; importing this module holds it.

What an import makes stays as long as the process. The collector walks it all some thirty times on the way and finds
nothing: a quarter of the time until a command begins.
"""

import gc

gc.disable()


def done() -> None:
    """Collect again from now on, but never walk what was loaded."""
    gc.freeze()
    gc.enable()
