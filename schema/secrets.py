"""Which settings and variables are secrets: their values stand in no output, and in no file that is kept."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from typing import TypeAlias

from schema.alike import alike
from schema.printable import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from schema.findings import Finding

HIDDEN = "***"
_SECRET = re.compile(
    r"(?:^|[-_.])(?:api_?key|key|token|secret|password|passwd|passphrase|credentials?|authorization|pwd|pat)$",
    re.IGNORECASE,
)
#: Their last words, for names that are nearly so: `hub_tokn`.
_WORDS = ("token", "secret", "password", "passphrase", "credential", "authorization")
_NO_SECRETS = ("taken", "secure")
_PARTS = re.compile(r"[-_.]")
_NEAR = 0.8
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# What only messages are searched for is compiled when there is one: most calls have none.
#: What is a secret wherever it stands: the password of a URL, and tokens that tell it by their beginning.
_SHAPE = (
    r"(?<=://)[^\s/?#'\"]+(?=@)"
    r"|(?<=[a-z]:/)[^\s/?#:'\"]+:[^\s/?#'\"]+(?=@)"
    r"|\bhf_(?=[A-Za-z]{0,80}[A-Z0-9])[A-Za-z0-9]{8,}(?!\w)"
    r"|\b(?:sk-|gh[opsu]_|github_pat_|glpat-|xox[abp]-|nvapi-|AIza|AKIA)(?=[A-Za-z_-]{0,80}[A-Z0-9])[A-Za-z0-9_-]{8,}"
)
#: A name and what a text gives it: `token: x`, `TOKEN=x`, `"token": "x"`, `token -> x`. A value is searched for
#: names, too: `url: http://host?token=x`; text within text has its quotes escaped.
_PAIR = r"(?<![\w.-])([\w.-]+)\\*['\"]?\s*(?:[:=]|->)\s*"
_GIVEN = r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|[^\s,{}\[\]'\"()][^\s,{}\[\]]*"
#: The same on a command line.
_OPTION = r"(?<![\w-])(--[\w-]+)(\s+)([^\s-]\S*)"
#: The same in a line of YAML, where a plain value may have blanks: the value is all that follows.
_NAME = r"(?<![\w.-])([\w.-]+)\\*['\"]?\s*[:=]\s*(?=\S)"
#: What messages show of a value: text in quotes, or a number.
_QUOTED = r"'[^']*'|\"[^\"]*\""
_VALUE = rf"{_QUOTED}|\b\S*\d\S*\b"
#: Shorter texts are not looked for elsewhere: they would be found in any word.
_LONG_ENOUGH = 6
_NOTHING: dict[str, list[str]] = {}


@lru_cache(maxsize=1 << 16)
def is_secret(name: str) -> bool:
    """Whether a setting, an option or a variable of this name holds a secret, or of a name that is misspelt."""
    name = _HUMP.sub("_", name)
    return _SECRET.search(name) is not None or _is_nearly(name.lower())


def _is_nearly(name: str) -> bool:
    *_, before, last = ["", *_PARTS.split(name)]
    if last.endswith("s") or last in _NO_SECRETS:  # a plural counts something: max_new_tokens
        return False
    return bool(alike(last, _WORDS, _NEAR) or alike(before + last, ("apikey",), _NEAR))


#: Secrets by their first characters, so that thousands of them are found in one pass over a text.
Known: TypeAlias = "Mapping[str, list[str]]"


def known(*data: object) -> Known:
    """The values of all secrets in plain data, as messages may spell them; the longest first."""
    found: dict[str, list[str]] = {}
    texts = {text for part in data for text in _texts(part) if len(text) >= _LONG_ENOUGH}
    for text in sorted(texts, key=len, reverse=True):
        found.setdefault(text[:_LONG_ENOUGH], []).append(text)
    return found


def _texts(data: object, *, secret: bool = False) -> Iterator[str]:
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _texts(value, secret=secret or is_secret(str(name)))
    elif isinstance(data, list):
        for item in data:
            yield from _texts(item, secret=secret)
    elif secret:
        import json  # noqa: PLC0415 - few presets have a secret

        text = str(data)
        yield from (text, repr(text)[1:-1], json.dumps(text)[1:-1], *text.splitlines())


def hidden(data: object, name: str = "") -> object:
    """Plain data without its secrets."""
    if isinstance(data, dict):
        return {key: hidden(value, name if is_secret(name) else str(key)) for key, value in data.items()}
    if isinstance(data, list):
        return [hidden(item, name) for item in data]
    if data is None or isinstance(data, bool):
        return data
    if is_secret(name):
        return HIDDEN
    return starred(data) if isinstance(data, str) else data


def _is_named(word: str) -> bool:
    # A key by itself is any key where people write: `key=value`, `# key: why`.
    return word.lower() != "key" and is_secret(word)


def starred(text: str, known: Known = _NOTHING) -> str:
    """A text without what it gives to secret names, what looks like a secret, and the secrets that are known."""
    text, parts, behind = _unshaped(text, known), [], 0
    value = re.compile(_GIVEN)
    for pair in re.finditer(_PAIR, text):
        given = value.match(text, pair.end()) if pair.start() >= behind and _is_named(pair[1]) else None
        if given is not None:
            parts += [text[behind : pair.end()], HIDDEN]
            behind = given.end()
    return "".join([*parts, text[behind:]])


def starred_line(line: str, known: Known = _NOTHING) -> str:
    """The same for a line of YAML or of a script, or a comment."""
    line = re.sub(_OPTION, _without_value, _unshaped(line, known))
    named = next((found for found in re.finditer(_NAME, line) if _is_named(found[1])), None)
    return f"{line[: named.end()]}{HIDDEN}" if named else line


def starred_after(line: str, message: str) -> str:
    """A message about what follows a piece of a line: without what it quotes, where the piece names a secret."""
    named = any(_is_named(found[1]) for found in re.finditer(_NAME, f"{line}x"))
    return re.sub(_QUOTED, HIDDEN, message) if named else message


def _unshaped(text: str, known: Known) -> str:
    return re.sub(_SHAPE, HIDDEN, _replaced(text, known))


def _replaced(text: str, known: Known) -> str:
    if not known:
        return text
    parts, here, behind = [], 0, 0
    while here + _LONG_ENOUGH <= len(text):
        secrets = known.get(text[here : here + _LONG_ENOUGH], ())
        secret = next((secret for secret in secrets if text.startswith(secret, here)), None)
        if secret is None:
            here += 1
        else:
            parts += [text[behind:here], HIDDEN]
            here = behind = here + len(secret)
    return "".join([*parts, text[behind:]])


def _without_value(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}{HIDDEN}" if _is_named(found[1]) else found[0]


def command(argv: Sequence[str]) -> list[str]:
    """The words of a command without the values of secret options."""
    found: list[str] = []
    for word in argv:
        option, _, value = word.partition("=")
        if found and found[-1].startswith("--") and is_secret(found[-1]):
            found.append(HIDDEN)
        elif value and option.startswith("--") and is_secret(option):
            found.append(f"{option}={HIDDEN}")
        else:
            found.append(starred(word))
    return found


def without(finding: Finding, known: Known, *, here: bool) -> Finding:
    """A finding without secrets, and shortened.

    Args:
        finding: any finding.
        known: the secrets of its preset.
        here: whether it is about one of them, so that whatever value it shows is one.
    """
    return finding._replace(
        message=_cleaned(finding.message, known, _VALUE if here else None),
        consequence=_cleaned(finding.consequence, known, _QUOTED if here else None),
        fix=_cleaned(finding.fix, known, _VALUE if here else None),
    )


def _cleaned(text: str, known: Known, value: str | None) -> str:
    text = shortened(_replaced(text, known))
    return starred(re.sub(value, HIDDEN, text) if value else text)
