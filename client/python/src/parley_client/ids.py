"""Message ids: UUIDv7 in lower case."""

import secrets
import time


def uuid7() -> str:
    """A new id of the present time."""
    stamp = f"{time.time_ns() // 1_000_000:012x}"
    random = f"{secrets.randbits(74):019x}"
    variant = "89ab"[int(random[0], 16) & 3]
    return f"{stamp[:8]}-{stamp[8:]}-7{random[1:4]}-{variant}{random[4:7]}-{random[7:19]}"
