"""The examples of the rules: the files that show one, and what comments in them say to the tests.

A bad file says at the end of a line what is found there: `# expect: RULE`, or several with commas. In a script,
where a comment may end a call, a line of its own says it: `# expect 7: RULE`. The first line may give options:
`# options: --train-gpus 8`. The server's half of a flat preset, x.rollout.yaml, is part of the example x.yaml, and
so is a pyproject.toml beside it.
"""

import re
from pathlib import Path

EXAMPLES = Path(__file__).parent / "examples"
_OPTIONS = re.compile(r"\A# options: (.*)\n")
_EXPECT = re.compile(r"[ \t]*# expect(?: (\d+))?: (.*)")
_OWN_LINE = re.compile(r"^# expect .*\n", re.MULTILINE)


def named(kind, room="rules", rule="*"):
    """The presets to name to validate-config: bad or good ones, of a folder of EXAMPLES."""
    files = sorted((EXAMPLES / room).glob(f"{rule}/{kind}/*.*"))
    others = {other for file in files for other in parts(file)[1:]}
    return [file for file in files if file.suffix in (".yaml", ".sh") and file not in others]


def parts(file):
    """All files of an example."""
    others = file.with_name(f"{file.stem}.rollout.yaml"), file.with_name("pyproject.toml")
    return [file, *(other for other in others if other.exists())]


def raw(file):
    """The text of a file that may be no text."""
    return file.read_bytes().decode(errors="surrogateescape")


def options(file):
    """Options to check it with."""
    given = _OPTIONS.match(raw(file))
    return given[1].split() if given else []


def expected(file):
    """What is found: file, line, rule."""
    return sorted(
        (str(part.relative_to(EXAMPLES)), int(at or number), rule.strip())
        for part in parts(file)
        for number, line in enumerate(raw(part).splitlines(), 1)
        for at, rules in _EXPECT.findall(line)
        for rule in rules.split(",")
    )


def clean(text):
    """A text without these comments."""
    return _EXPECT.sub("", _OWN_LINE.sub("", _OPTIONS.sub("", text)))
