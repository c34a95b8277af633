"""Telling Mixpanel things, and hearing the truth about what became of them.

`operations` describes every call once, as data; `compose` makes a request of it, `client` opens the socket, `verdict`
says what the answer means, `send` tells the story of one call, `imports` that of many.
"""
