"""Mutations of bytes, of tokens, of types and of size; each takes the content of a file and makes another."""

import copy
import datetime as dt
import json
import re
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from schema.yamltext.yaml12 import UNREADABLE

_BYTES = [
    b"\x00",
    b"\x1b[31m",
    b"\xff",
    b"\xc3",
    b"\r",
    b"\t",
    b"\xef\xbb\xbf",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"\xed\xa0\x80",
]
_BYTES += [
    b"\n",
    b":",
    b"#",
    b"&",
    b"*",
    b"!",
    b"|",
    b">",
    b"'",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b"-",
    b"?",
    b"%",
    b"@",
    b"`",
]

_HERE = Path(__file__).parent
#: Values as text, for YAML and TOML alike: odd ones of every type, and texts that a terminal would act on.
_SHORT = (_HERE / "values.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
TOKENS = [
    *_SHORT,
    *("9" * digits for digits in (99, 400, 5000)),
    *("a" * letters for letters in (300, 70_000)),
    "'" + "[" * 5000 + "'",
    "'" + '{"a":' * 3000 + "'",
    "[" * 70 + "]" * 70,
    "{a: " * 70 + "}" * 70,
]
_KEYS = [*(_HERE / "keys.txt").read_text(encoding="utf-8").rstrip("\n").split("\n"), "a" * 200]
_VALUE = re.compile(rb"(?<=: )[^\n#{}\[\],]+|(?<== )[^\n]+")
_KEY = re.compile(rb"(?<![\w-])[\w-]+(?=:(?: |\n)| = )")
_DEEP = 90


def mutated(content: bytes, name: str, random: Random) -> bytes:
    """A file with one mutation, or a few."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        kind = random.choices((_byte, _token, _typed, _large), (200, 450, 343, 7))[0]
        content = kind(content, name, random)
    return content


def _byte(content: bytes, _name: str, random: Random) -> bytes:
    start = random.randrange(len(content) + 1)
    end = min(len(content), start + random.choice((1, 1, 2, 5, 30, 200)))
    other = random.randrange(len(content) + 1)
    odd = random.choice((random.choice(_BYTES), bytes([random.randrange(256)])))
    return random.choice(
        (
            content[:start] + odd + content[start:],
            content[:start] + odd + content[end:],
            content[:start] + content[end:],
            content[:end] + content[start:],
            content[:start] + content[other : other + 40] + content[start:],
            content[:start],
            content.replace(b"\n", b"\r\n"),
        )
    )


def _token(content: bytes, _name: str, random: Random) -> bytes:
    where, words = random.choice(((_VALUE, TOKENS), (_VALUE, TOKENS), (_VALUE, TOKENS), (_KEY, _KEYS)))
    found = list(where.finditer(content))
    if found and random.random() < 0.85:
        spot = random.choice(found)
        return content[: spot.start()] + random.choice(words).encode() + content[spot.end() :]
    lines = content.split(b"\n")
    one, other = (random.randrange(len(lines)) for _ in range(2))
    change = random.randrange(6)
    if change == 0:
        lines[one], lines[other] = lines[other], lines[one]
    elif change == 1:
        lines.insert(one, lines[other])
    elif change == 2:
        del lines[one]
    elif change == 3:
        lines[one] = random.choice((b"  ", b"\t", b"- ", b"# ", b"? ", b"&a ")) + lines[one]
    elif change == 4:
        lines[one] = lines[one][random.randrange(4) :]
    else:
        lines.insert(one, f"{random.choice(_KEYS)}: {random.choice(TOKENS)}".encode())
    return b"\n".join(lines)


def _odd(random: Random, depth: int = 0) -> object:
    """A value of any type."""
    kinds = [
        *(
            None,
            True,
            False,
            0,
            -1,
            1,
            2,
            8,
            10**20,
            10**99,
            1.5,
            float("nan"),
            float("inf"),
            -float("inf"),
            "",
            "x",
            "8",
            "-x",
        ),
        *(
            dt.date(2024, 1, 4),
            dt.datetime(2024, 1, 4, 10, tzinfo=dt.timezone.utc),
            b"hi",
            "\x1b[31m",
        ),
        *(
            "a\n::error::b",
            "\u202e",
            "é",
            "{",
            '{"a": 1}',
            "[1]",
            "null",
            "true",
            "127.0.0.1",
            "0.0.0.0",
            "x" * 3000,
        ),
    ]
    if depth < 4 and random.random() < 0.4:
        items = [_odd(random, depth + 1) for _ in range(random.choice((0, 1, 1, 2, 9)))]
        return items if random.random() < 0.5 else {_odd_key(random): item for item in items}
    return random.choice(kinds)


def _odd_key(random: Random) -> object:
    keys = (
        None,
        True,
        1,
        1.5,
        dt.date(2024, 1, 4),
        b"k",
        "a b",
        "\x1b",
        "a\n::error::b",
        "host",
        "token",
        "<<",
        "",
    )
    return random.choice(keys)


def _deep(random: Random) -> object:
    value: object = 1
    for _ in range(random.choice((10, 60, _DEEP))):
        value = [value] if random.random() < 0.5 else {"a": value}
    return value


def _typed(content: bytes, name: str, random: Random) -> bytes:
    """The data of a file with one value of another type."""
    # What is large, or a "billion laughs", would keep this function at work, not what it tests.
    if name.endswith(".toml") or len(content) > 20_000 or b"&l1" in content:
        return _token(content, name, random)
    is_json = name.endswith(".json")
    try:
        data = json.loads(content) if is_json else copy.deepcopy(_loaded(content))
        spots = list(_spots(data))
        parent, key = random.choice(spots)
        change = random.random()
        if change < 0.75:
            parent[key] = _deep(random) if change < 0.05 else _odd(random)
        elif change < 0.85:
            del parent[key]
        elif isinstance(parent, dict):
            parent[_odd_key(random) if change < 0.93 else random.choice(_KEYS)] = _odd(random)
        if is_json:
            return json.dumps(data, default=str, skipkeys=True).encode()
        flow = random.choice((None, False, True))
        return yaml.safe_dump(data, sort_keys=False, default_flow_style=flow, allow_unicode=True).encode()
    except UNREADABLE:
        return _token(content, name, random)


@lru_cache(maxsize=256)
def _loaded(content: bytes) -> object:
    # Most inputs begin with the same few files.
    return yaml.safe_load(content)


def _spots(data: object) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, child in children:
        found += [(data, key), *_spots(child)]
    return found


def _large(content: bytes, name: str, random: Random) -> bytes:
    """A file of many lines, of many merges, of many aliases, or with a long line."""
    many = random.choice((500, 5000, 20000))
    lines = content.split(b"\n")
    at = random.randrange(len(lines))
    spaces = re.match(rb" *", lines[at])[0]
    key, value = random.choice(_KEYS).encode(), random.choice(_SHORT).encode()
    if not name.endswith(".yaml"):
        return b"\n".join([*lines[:at], *[lines[at]] * many, *lines[at:]])
    build = random.choice((_odd_lines, _unknown, _secret, _merges, _laughs, _octal, _comments))
    return b"\n".join([*lines[:at], *(spaces + line for line in build(many, key, value)), *lines[at:]])


def _odd_lines(many: int, key: bytes, value: bytes) -> list[bytes]:
    return [b"%s%d: %s" % (key, number, value) for number in range(min(many, 60_000 // (len(value) + 1)))]


def _unknown(many: int, *_: bytes) -> list[bytes]:
    return [b"vllm_mod%dx: 1" % number for number in range(many)]


def _secret(many: int, *_: bytes) -> list[bytes]:
    return [b"k%d_token: secret%d" % (number, number) for number in range(many)]


def _merges(many: int, *_: bytes) -> list[bytes]:
    keys = b", ".join(b"k%d: 1" % number for number in range(800))
    return [b"m: &m {%s}" % keys, b"n: {<<: [%s]}" % b", ".join([b"*m"] * many)]


def _laughs(*_: object) -> list[bytes]:
    more = [b"l%d: &l%d [%s]" % (level, level, b", ".join([b"*l%d" % (level - 1)] * 9)) for level in range(1, 12)]
    return [b"l0: &l0 [x, x, x, x, x, x, x, x, x]", *more]


def _octal(many: int, *_: bytes) -> list[bytes]:
    return [b"o: [%s]" % b", ".join([b"0o17"] * many)]


def _comments(many: int, *_: bytes) -> list[bytes]:
    return [b"# token: x"] * many
