"""One page a rule: what it is about, a wrong and a right preset, what validate-config says, how to silence it."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from difflib import SequenceMatcher
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from click.testing import CliRunner

from launch.explained import MACHINE
from launch.preflight import CHECKS
from schema.cli import main
from schema.explained import INPUT
from schema.explained import page_of
from schema.explained import topics
from schema.findings import Severity
from schema.resolve import find_project
from schema.rules import RULES
from schema.silence import UNUSED
from tests.rule_examples import EXAMPLES
from tests.rule_examples import clean
from tests.rule_examples import expected
from tests.rule_examples import named
from tests.rule_examples import options
from tests.rule_examples import parts
from tests.rule_examples import raw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.explained import Topic

#: Stands for the folder of the examples where a message has a whole path.
_HOME = "/home/me/project"
_SUMMARY = re.compile(r"\n\d+ (?:error|warning)s?(?:, \d+ warnings?)? in \d+ files?\n")
_SIDES = {
    "server": "before the server starts",
    "learner": "before the learner starts",
    "connect": "before the learner connects",
}
_MORE = """\
[{folder}](../../{folder}) has all examples, and
[tests/examples/base](../../tests/examples/base) the complete presets that they extend. Unless an option says
otherwise, they are for ms-swift {swift_version}, {rollout_gpus} GPUs that roll out and {train_gpus} that learn.
"""
_CHECKED_FOR = vars(find_project(EXAMPLES / "rules").settings)
_COMMENT = """\
With a comment in the line of the finding, or alone in the line above:

```{kind}
{line}
```

"""
_PROJECT = """\
In the project's `pyproject.toml`, for all presets or for some:

```toml
[tool.rollout-split]
ignore = ["{rule}"]
per-file-ignores = {{ "configs/legacy/*.{kind}" = ["{rule}"] }}
```
"""


def rule_pages() -> dict[str, str]:
    """The pages of all rules, errors of the input and checks of the machine, by their names below docs/."""
    with _copied_examples():
        pages = [_of_preset(topic) for group in topics().values() for topic in group.values()]
    pages += [_of_machine(topic) for topic in MACHINE.values()]
    names = [name for group in (*topics().values(), MACHINE) for name in group]
    return {page_of(name): page for name, page in zip(names, pages, strict=True)}


@contextmanager
def _copied_examples() -> Iterator[None]:
    """The current folder is a copy of the examples without the comments for tests."""
    here = Path.cwd()
    with TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / "examples"
        copytree(EXAMPLES, copy)
        for file in filter(Path.is_file, copy.rglob("*")):
            file.write_bytes(clean(raw(file)).encode(errors="surrogateescape"))
        os.chdir(copy)
        try:
            yield
        finally:
            os.chdir(here)


def _of_preset(topic: Topic) -> str:
    room = "rules" if topic.id in RULES else "input"
    bad = min(named("bad", room, topic.id), key=_size)
    good = max(named("good", room, topic.id), key=lambda file: (file.stem == "usual", *_likeness(file, bad)))
    found = _findings(bad)
    return "\n".join(
        [
            _head(topic, *_applies(topic)),
            "## Wrong\n",
            *_files(bad),
            f"```console\n{_call(bad)}\n{found}\n```\n",
            "## Right\n",
            *_files(good),
            f"```console\n{_call(good)}\n```\n",
            _MORE.format(folder=f"tests/examples/{room}/{topic.id}", **_CHECKED_FOR),
            f"## How to silence it\n\n{_silence(topic.id, bad, found)}",
        ]
    )


def _of_machine(topic: Topic) -> str:
    sides = [_SIDES[side] for side in CHECKS[topic.id].sides] if topic.id in CHECKS else [_SIDES["learner"]]
    silence = "It is a warning, which keeps nothing from starting."
    if topic.severity is Severity.ERROR:
        silence = f"`--allow {topic.id}` makes it a warning, and the start goes on."
    return f"{_head(topic, *sides)}\n## How to silence it\n\n{silence}\n"


def _head(topic: Topic, *applies: str) -> str:
    return f"# {topic.id}\n\n{', '.join([topic.severity.value, *applies])}\n\n{topic.explanation}\n"


def _applies(topic: Topic) -> list[str]:
    rule = RULES.get(topic.id)
    if rule is None:
        return []
    layout = "flat and script layouts" if rule.apart else f"{rule.layout} layout" if rule.layout else ""
    return [*filter(None, [f"{rule.mode} mode" if rule.mode else "", layout])]


def _text(file: Path) -> str:
    """A part of an example as it is in the copy; bytes that are no text have a sign in their place."""
    return file.relative_to(EXAMPLES).read_text(encoding="utf-8", errors="replace")


def _whole(example: Path) -> str:
    return "".join(map(_text, parts(example)))


def _size(example: Path) -> tuple[bool, bool, int, int, str]:
    """Small is an example that is YAML, a whole preset, shows one rule, and has few characters."""
    text = _whole(example)
    is_part = not re.search(r"^extends:|rlhf_type:|swift", text, re.MULTILINE)
    return example.suffix == ".sh", is_part, len({rule for *_, rule in expected(example)}), len(text), example.name


def _likeness(one: Path, other: Path) -> tuple[bool, float]:
    """Two examples are alike that have the same options, and most text in common."""
    matcher = SequenceMatcher(None, _whole(one), _whole(other), autojunk=False)
    return options(one) == options(other), matcher.ratio()


def _files(example: Path) -> Iterator[str]:
    for part in parts(example):
        yield f"`{part.name}`:\n\n```{part.suffix[1:]}\n{_text(part).rstrip()}\n```\n"


def _words(example: Path) -> list[str]:
    return [*options(example), str(example.relative_to(EXAMPLES))]


def _call(example: Path) -> str:
    return " ".join(["$ validate-config", *_words(example)])


def _findings(example: Path) -> str:
    """What validate-config prints of an example, without what sums up."""
    ran = CliRunner().invoke(main, _words(example), env={"PRE_COMMIT": None, "FORCE_COLOR": None})
    return _SUMMARY.split(ran.stdout.replace(str(Path.cwd()), _HOME))[0]


def _silence(rule: str, example: Path, found: str) -> str:
    if rule in INPUT:
        return "Nothing silences it: until it is mended, the file cannot be checked.\n"
    kind = example.suffix[1:]
    comment = "" if rule == UNUSED else _COMMENT.format(kind=kind, line=_silenced(rule, example, found))
    return f"{comment}{_PROJECT.format(kind=kind, rule=rule)}"


def _silenced(rule: str, example: Path, found: str) -> str:
    """The line of a finding with a comment that silences it: tried, so that no page tells what does not work."""
    head = next(each for each in _heads(found) if each[2] == rule)
    file, number = Path(head[0]), int(head[1]) - 1
    before = file.read_bytes()
    lines = before.decode().splitlines(keepends=True)
    line = lines[number].rstrip()
    with_comment = _with_comment(line, f"# rollout-split: ignore[{rule}] the reason")
    lines[number] = lines[number].replace(line, with_comment)
    file.write_bytes("".join(lines).encode())
    after = _heads(_findings(example))
    file.write_bytes(before)
    # Above a call of a script, a comment silences all lines of it.
    of_rule, left = ([each for each in heads if each[2] == rule] for heads in (_heads(found), after))
    if len(left) >= len(of_rule) or UNUSED in {each[2] for each in after}:
        raise RuntimeError(f"{example}: a comment does not silence {rule}: {after}")
    return with_comment


def _with_comment(line: str, comment: str) -> str:
    """In a script, a comment behind a word would end a call that goes on in the next line."""
    return f"{comment}\n{line}" if line.endswith("\\") else f"{line}  {comment}"


def _heads(found: str) -> list[tuple[str, str, str]]:
    """The file, line and rule of each finding."""
    return re.findall(r"^(\S+):(\d+):\d+: \w+\[([a-z0-9-]+)\] ", found, re.MULTILINE)
