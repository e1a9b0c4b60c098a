"""Words of a script against those that bash itself makes of it; of no other script than these is anything run."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import InputError
from schema.shelltext.script import read
from tests.amounts import examples

CALL = re.compile(r"swift\s+rlhf")
#: What bash runs instead of ms-swift.
PRELUDE = """swift() { printf '%s\\0' "$@"; printf '\\1'; env -0; printf '\\1'; }\nnohup() { "$@"; }\n"""
SCRIPTS = {
    "plain": "swift rlhf --a 1 --b=2 three",
    "continued": "swift rlhf \\\n    --a 1 \\\n  --b 2\n",
    "single quotes": "swift rlhf --dataset 'AI-MO/Numina#1000' 'it is \"so\"' ''",
    "double quotes": 'swift rlhf --system "a \\"b\\" \\$c \\x  d" "" --x " e "',
    "lines in quotes": 'swift rlhf --system "first\n  second \\\nthird\n" --b 1',
    "escapes": "swift rlhf --a b\\ c \\'d\\' e\\\\f \\#g h#i",
    "blanks": "swift rlhf \\ a 'b'\\ c d\\\\ e \"f\\ g\" 'h\\ i'",
    "ansi": "swift rlhf --a $'x\\ty\\n\\x41\\'q\\''",
    "glued": "swift rlhf --o output/\"grpo run\"/'x y'z",
    "variable": 'M=Qwen/x\nswift rlhf --m $M "$M" ${M} "${M}/y" $M/z',
    "split variable": "A='--a 1   --b 2'\nswift rlhf $A \"$A\" x$A",
    "split over lines": 'A="--a 1 \\\n --b 2\n --c 3"\nswift rlhf $A --d 4',
    "empty variable": 'A=\nB=""\nswift rlhf $A "$A" x$B "$B"y',
    "defaults": 'swift rlhf ${SPLIT_X:-1} "${SPLIT_X:-a b}" ${SPLIT_X:-a b} ${SPLIT_X-2}',
    "no defaults": "Y=3\nswift rlhf ${Y:-4} ${Y-5}",
    "default of an empty one": "Y=\nswift rlhf ${Y:-4} ${Y-5} z",
    "default of a default": "M=${SPLIT_M:-Qwen/${SPLIT_N:-x}}\nswift rlhf $M",
    "array": 'A=(--a 1 "two words" # why\n  --c)\nswift rlhf "${A[@]}" ${A[@]} x"${A[@]}"y "${A[*]}" ${A[1]}',
    "array that grows": 'A=(--a 1)\nA+=(--b "2 3")\nswift rlhf "${A[@]}"',
    "empty array": 'A=()\nswift rlhf "${A[@]}" ${A[@]} x"${A[@]}"',
    "text that grows": 'A="--a 1"\nA+=" --b 2"\nA="$A --c 3"\nswift rlhf $A',
    "own variables": 'X=1 Y="a b" swift rlhf --a 1',
    "exported": "export X=1\nY=2\nexport Y\nZ=3\nswift rlhf --a",
    "declared": "declare -x X=1\nexport A=1 B='2 3'\nunset A\nswift rlhf --a",
    "redirected": "nohup swift rlhf --a 1 2>/dev/null --b 2 < /dev/null",
    "heredoc": "swift rlhf --a 1 <<EOF\n--b 2\nEOF\n",
    "command in a variable": "C='swift rlhf --a'\n$C 1",
    "function": "run() {\n  swift rlhf --a 1 \\\n    --b 2\n}\nrun",
    "umlauts": "M='Käse ü'\nswift rlhf --system $M \"$M\"",
    "braces without a comma": 'swift rlhf --kw {x} \'{"a": 1, "b": 2}\'',
    "numbers": "swift rlhf --lr 1e-6 --k -1 --b 08 --c 1_000",
    "comment behind": "swift rlhf --a 1 # --b 2\n# --c 3\n",
    "three in a row": "swift rlhf --a 1; swift rlhf --b 2 && swift rlhf --c 3",
}


def ours(text, folder):
    script = read(folder / "x.sh", text.encode(), CALL)
    assert not script.faults
    return [command for command in script.commands if "swift" in command.texts()]


def of_bash(text, folder):
    done = subprocess.run(
        ["bash", "-c", PRELUDE + text], cwd=folder, capture_output=True, env={"PATH": "/usr/bin:/bin"}, check=False
    )
    parts = done.stdout.decode().split("\1")
    return list(zip(parts[::2], parts[1::2], strict=False))


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_words_and_variables_are_those_of_bash(text, tmp_path):
    found, truth = ours(text, tmp_path), of_bash(text, tmp_path)
    assert len(found) == len(truth) > 0
    for command, (arguments, environment) in zip(found, truth, strict=True):
        words = command.texts()[command.texts().index("swift") + 1 :]
        assert words == arguments.split("\0")[:-1]
        assert not any(word.unknown for word in command.words)
        variables = dict(line.split("=", 1) for line in environment.split("\0")[:-1])
        own = {
            name: value for name, value in variables.items() if name not in ("PATH", "PWD", "SHLVL", "_", "OLDPWD")
        }
        assert {name: word.text for name, word in command.variables.items()} == own


PIECES = st.sampled_from(
    [
        "--a",
        "b",
        "'q w'",
        '"e r"',
        "$V",
        '"$V"',
        "${V}x",
        "$W",
        '"${A[@]}"',
        "${A[@]}",
        "\\ t",
        "\\ ",
        "t\\ ",
        "\\\\",
        "''",
        '"\\$"',
        "x#y",
        "'#'",
    ]
)


@examples(40)
@given(
    st.lists(st.lists(PIECES, min_size=1, max_size=3).map("".join), min_size=1, max_size=5),
    st.text("ab '", max_size=6),
)
def test_any_pieces_are_read_as_bash_reads_them(tmp_path_factory, words, value):
    folder = tmp_path_factory.getbasetemp()
    quoted = value.replace("'", "'\\''")
    text = f"V='{quoted}'\nW=\nA=('1 2' x \"$V\")\nswift rlhf {' '.join(words)} end\n"
    (command,), ((arguments, _),) = ours(text, folder), of_bash(text, folder)
    assert command.texts()[1:] == arguments.split("\0")[:-1], text


@pytest.mark.parametrize(
    ("text", "unknown"),
    {
        "swift rlhf --a $1": "$1",
        'swift rlhf --a "x$(date)y"': "$(date)",
        "swift rlhf --a `date`": "`date`",
        "swift rlhf --a $((1 + 1))": "$((1 + 1))",
        "swift rlhf --a $HOME/x": "$HOME",
        "swift rlhf --a ~/x": "~/x",
        "swift rlhf --a data/*.jsonl": "data/*.jsonl",
        "swift rlhf --a {x,y}": "{x,y}",
        "swift rlhf --a ${X%.sh}": "${X%.sh}",
        "X=$(date)\nswift rlhf --a $X": "$(date)",
        "if true; then X=1; else X=2; fi\nswift rlhf --a $X": "$X",
        "true && X=1\nswift rlhf --a $X": "$X",
        "for X in 1 2; do swift rlhf --a $X; done": "$X",
        "read X\nswift rlhf --a $X": "$X",
        "declare -A X\nX[a]=1\nswift rlhf --a ${X[a]}": "${X[a]}",
    }.items(),
)
def test_what_only_a_shell_knows_is_named(text, unknown, tmp_path):
    (command,) = ours(text, tmp_path)
    assert [word.unknown for word in command.words if word.unknown] == [unknown]


def test_places_are_where_a_value_is_written(tmp_path):
    text = "M=Qwen/x\nA=(\n  --lr 1e-6)\nü='ß'; swift rlhf --m $M --d 'x' \\\n  \"${A[@]}\"\n"
    (command,) = ours(text, tmp_path)
    assert [(word.text, *word.place[1:]) for word in command.words] == [
        ("swift", 4, 8, 4, 13),
        ("rlhf", 4, 14, 4, 18),
        ("--m", 4, 19, 4, 22),
        ("Qwen/x", 1, 3, 1, 9),
        ("--d", 4, 26, 4, 29),
        ("x", 4, 30, 4, 33),
        ("--lr", 3, 3, 3, 7),
        ("1e-6", 3, 8, 3, 12),
    ]


def test_places_of_variables_end_with_their_values(tmp_path):
    text = "export A=1\nB='b c' C= D=$A E=x$A \\\n  swift rlhf --a 1\n"
    (command,) = ours(text, tmp_path)
    assert {name: word.place[1:] for name, word in command.variables.items()} == {
        "A": (1, 10, 1, 11),
        "B": (2, 3, 2, 8),
        "C": (2, 9, 2, 11),
        "D": (1, 10, 1, 11),
        "E": (2, 19, 2, 22),
    }


@pytest.mark.parametrize(
    ("text", "place"),
    {
        'swift rlhf \\\n  --a "b\n--c d\n': (2, 7, '"'),
        "swift rlhf \\\n  --a 'b\n--c d\n": (2, 7, "'"),
        "echo it's\nswift rlhf --a b\n": (1, 8, "'"),
    }.items(),
)
def test_open_quote_has_its_place(text, place, tmp_path):
    (fault,) = read(tmp_path / "x.sh", text.encode(), CALL).faults
    assert (fault.place.line, fault.place.column, fault.quote) == place


def test_hostile_scripts_end(tmp_path):
    deep = "(" * 5000 + "swift rlhf" + ")" * 5000
    with pytest.raises(InputError, match="nested more than"):
        read(tmp_path / "x.sh", deep.encode(), CALL)
    with pytest.raises(InputError, match="too large"):
        read(tmp_path / "x.sh", b"x" * (1 << 18), CALL)
    doubled = (
        "A=(x x x x)\n"
        + 'A=("${A[@]}" "${A[@]}")\n' * 40
        + "B=xxxx\n"
        + "B=$B$B\n" * 40
        + 'swift rlhf "${A[@]}" $B\n'
    )
    (command,) = ours(doubled, tmp_path)
    assert len(command.words) < 2000


def test_only_a_commented_call_is_read_of_comments(tmp_path):
    text = "# don't run swift rlhf twice\n# X=1 \\\n# swift rlhf \\\n#   --a 'b c' \\\n#   --d\n# and more\necho\n"
    script = read(Path(tmp_path / "x.sh"), text.encode(), re.compile(r"swift rlhf \\"))
    (command,) = script.silent
    assert (command.texts(), command.first, command.last) == (["swift", "rlhf", "--a", "b c", "--d"], 2, 5)
    assert command.words[3].place[1:] == (4, 9, 4, 14)
