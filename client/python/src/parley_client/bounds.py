"""Every limit of a queue and a wait, in seconds. They are those of the TypeScript SDK."""

import random

OUTBOX_MAX = 256
"""Writes without an outcome. A further one is refused with `busy`."""
WIRE_MAX = 60
"""Unanswered writes on the connection, below the server's limit of 64."""
SEND_DEADLINE = 300.0
"""A write without an outcome for this long is refused with `unavailable`."""
PAGE_DEADLINE = 30.0
CONNECT_TIMEOUT = 10.0
"""For token, handshake and welcome together."""
ANSWER_SILENCE = 15.0
"""A connection that is silent for longer after a request is closed."""
STEADY = 5.0
"""After a connection of this duration the backoff starts at its base."""
REFRESH_AHEAD = 60.0
"""A token is renewed this long before it expires, or at three quarters of its validity."""
AFTER_MAX = 60.0
"""A longer `afterMs` of the server is reduced to this."""
EVENTS_MAX = 10_000
"""Events that the application has not taken. Beyond it the client stops reading the socket."""

FINAL = {1008, 1009}
"""Close codes after which there is no attempt, beside 4500 to 4999."""


def jitter(attempt: int, base: float, cap: float) -> float:
    """A wait with full jitter."""
    return random.random() * min(cap, base * 2.0 ** min(attempt, 30))
