"""Tokens: the token function, and when a token expires. Only the server decides about validity."""

import base64
import json
from typing import Awaitable, Callable

Token = str | Callable[[], Awaitable[str]]


async def ask(token: Token) -> str:
    return token if isinstance(token, str) else await token()


def expiry_ms(token: str) -> float | None:
    """The `exp` of a JWT in ms since 1970; None without one."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"]) * 1000
    except (IndexError, KeyError, TypeError, ValueError):
        return None
