"""Filters out bodies that a JSON Schema accepts and the server refuses by design.

F2 and F8 of docs/SPEC.md apply at any depth of a message: no U+0000, no lone surrogate, no key
`__proto__`, no number that a double cannot hold. The server counts the bytes of a user id and the
UTF-16 units of a name; a JSON Schema counts characters. The project's own fuzzer
(services/gateway/test/http-fuzz.ts) sends such bodies.
"""

import schemathesis

EXACT = 2**53 - 1
LENGTH_MAX = 128


def is_kept(value):
    if isinstance(value, str):
        return not any(c == "\0" or 0xD800 <= ord(c) <= 0xDFFF for c in value)
    if isinstance(value, int):
        return abs(value) <= EXACT
    if isinstance(value, list):
        return all(is_kept(item) for item in value)
    if isinstance(value, dict):
        return all(key != "__proto__" and is_kept(key) and is_kept(item) for key, item in value.items())
    return True


def is_countable(body):
    """Whether the server and a JSON Schema agree on the lengths of user id and name."""
    if not isinstance(body, dict):
        return True
    return fits(body.get("user"), "utf-8", 1) and fits(body.get("name"), "utf-16-le", 2)


def fits(value, encoding, unit_bytes):
    if not isinstance(value, str) or len(value) > LENGTH_MAX:
        return True
    return len(value.encode(encoding)) <= LENGTH_MAX * unit_bytes


@schemathesis.hook
def filter_query(context, query):
    # The parameter `as` is a user id.
    return not isinstance(query, dict) or fits(query.get("as"), "utf-8", 1)


@schemathesis.hook
def filter_body(context, body):
    return is_kept(body) and is_countable(body)


@schemathesis.hook
def filter_case(context, case):
    return is_kept(case.body) and is_countable(case.body)
