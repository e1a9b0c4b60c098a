"""Runs mutated inputs through the commands, in forked workers with limits, and looks at all that comes out.

    python -m tests.fuzz.fuzz_worker SEED NUMBER

runs one input again, shows its files, and ends with what was wrong.
"""

import contextlib
import faulthandler
import gc
import io
import json
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from random import Random
from typing import NamedTuple

from launch.cli import main as rollout_split
from migrate.cli import main as migrate_config
from schema.cli import main as validate_config
from tests.fuzz.fuzz_inputs import PLANTED
from tests.fuzz.fuzz_inputs import USUAL
from tests.fuzz.fuzz_inputs import Files
from tests.fuzz.fuzz_inputs import Inputs
from tests.fuzz.fuzz_mutations import mutated

#: Seconds of a CPU that one input may take, seconds on the clock (others may use the CPU), and bytes of memory.
CPU, CLOCK, MEMORY = 10, 120, 1 << 30
#: Failures after which a run ends.
MOST = 400
_COMMANDS = {"validate-config": validate_config, "migrate-config": migrate_config, "rollout-split": rollout_split}
_FORMATS = ("text", "concise", "json", "github", "sarif")
#: What no output holds: controls but line breaks and tabs, lone carriage returns, and what turns text around.
_RAW = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]|\r(?!\n)"
)
_COMMAND = re.compile(r"^\s*::", re.MULTILINE)
#: A planted secret that its name or its shape still tells.
_NAMED = rb"(?:^|[\s{,'\"_.-])(?:token|api_?key|key)['\"]?\s*:\s*['\"]?(?:hf_|sk-)?$"
_MARKED = re.compile(_NAMED, re.IGNORECASE)


class Call(NamedTuple):
    """One call of a command."""

    command: str
    args: tuple[str, ...]
    encoding: str

    @property
    def form(self) -> str:
        """The form of its output."""
        return next((arg for arg in reversed(self.args) if arg in _FORMATS), "text")

    @property
    def writes(self) -> bool:
        """Whether it may write."""
        return "--write" in self.args


@dataclass
class Figures:
    """What a run saw."""

    inputs: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, 0)
    memory: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        codes = ", ".join(f"{number} x {what}" for what, number in sorted(self.codes.items()))
        return (
            f"fuzz: {self.inputs} inputs; {codes}; slowest {self.slowest[0]:.1f} s (number {self.slowest[1]}),"
            f" peak {self.memory / 1024:.0f} MiB, {len(self.failures)} failures"
        )


def made(inputs: Inputs, seed: int, number: int) -> tuple[Files, list[Call]]:
    """The files of an input, one of them mutated, and the calls that it gets."""
    random = Random(f"{seed}-{number}")
    files = inputs.pick(random)
    presets = [name for name in files if name.endswith(".yaml") and not name.startswith("base/")]
    name = random.choices(("preset", "pyproject.toml", "models/m/config.json"), (84, 8, 8))[0]
    name = random.choice(presets) if name == "preset" else name
    files[name] = mutated(files[name], name, random)
    named = ["x.yaml"] if "x.yaml" in files else [each for each in presets if ".rollout" not in each]
    return files, [random.choice((_validate, _validate, _validate, _plan))(named, random), _migrate(named, random)]


def _validate(named: list[str], random: Random) -> Call:
    options = random.choice(
        ([], [], ["--train-gpus", "2"], ["--swift-version", random.choice(("3.10.0", "4.0.0"))])
    )
    return Call("validate-config", (*named, "--format", random.choice(_FORMATS), *options), _encoding(random))


def _plan(named: list[str], random: Random) -> Call:
    node = (
        "--gpus",
        random.choice("148"),
        "--gpu-memory",
        "80",
        "--format",
        random.choice(("text", "json", "svg")),
    )
    return Call("rollout-split", ("plan", named[0], *node), _encoding(random))


def _migrate(named: list[str], random: Random) -> Call:
    to: tuple[str, ...] = ("--to", random.choice(("server", "colocate")))
    doing = random.choice(((), ("--write",), ("--write",), ("--check",)))
    more = random.choice(
        ((), (), ("--mask-bases",), ("--include-bases",), ("--train-gpus", "2"), ("--max-model-len", "9000"))
    )
    if random.random() < 1 / 8:
        to, more = ("--fix",), random.choice(((), (), ("--include-bases",), ("--train-gpus", "2")))
    return Call(
        "migrate-config",
        (*named, *to, "--report", random.choice(("text", "json")), *doing, *more),
        _encoding(random),
    )


def _encoding(random: Random) -> str:
    return random.choice(("utf-8", "utf-8", "ascii", "latin-1"))


def tried(files: Files, calls: list[Call], folder: Path) -> Iterator[tuple[str, str]]:
    """Each call's end, and what is wrong with it, if anything is."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    os.chdir(folder)
    content = b"\n".join(files.values())
    for call in calls:
        before = _tree(folder)
        code, out, err = _called(call)
        wrong = [*_wrong(call, code, out, err), *_shown(content, out + err)]
        if (not call.writes or code != 0) and _tree(folder) != before:
            wrong.append("files were changed")
        yield (
            f"{call.command} {code}",
            f"{' '.join([call.command, *call.args])}: {'; '.join(wrong)}" if wrong else "",
        )


def _called(call: Call) -> tuple[int, str, str]:
    out, err = io.BytesIO(), io.BytesIO()
    streams = [
        io.TextIOWrapper(stream, call.encoding, "strict", newline="", write_through=True) for stream in (out, err)
    ]
    main = _COMMANDS[call.command]
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        try:
            main(list(call.args), prog_name=call.command)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException as error:
            return -1, "", f"{type(error).__name__}: {error}"
    return code, out.getvalue().decode(call.encoding), err.getvalue().decode(call.encoding)


def _wrong(call: Call, code: int, out: str, err: str) -> Iterator[str]:
    if code not in (0, 1, 2) or "Traceback" in err:
        yield f"exit {code}: {err.strip()[-1500:]}"
        return
    if code == 2 and not (err or out):
        yield "exit 2 without a word"
    if call.form in ("json", "sarif") and (code != 2 or call.command != "rollout-split"):
        with contextlib.suppress(ValueError):
            yield from [] if json.loads(out) is not None else ["JSON null"]
            return
        yield f"no JSON: {out[:200]!r}"
    if (raw := _RAW.search(out + err)) is not None:
        yield f"raw {raw[0]!r} in {(out + err)[max(0, raw.start() - 80) : raw.end()]!r}"
    if call.form != "github" and _COMMAND.search(out + err):
        yield f"a command of GitHub: {_COMMAND.search(out + err)}"


def _shown(content: bytes, output: str) -> Iterator[str]:
    """Planted secrets that are shown, though every place where they stand tells that they are secrets."""
    for digit in "0123":
        secret = f"{PLANTED}{digit}123456789"
        if secret in output and all(
            _is_marked(content, found.start(), found.end()) for found in re.finditer(secret.encode(), content)
        ):
            at = output.index(secret)
            yield f"the secret {secret} is shown: {output[max(0, at - 200) : at + 40]!r}"


def _is_marked(content: bytes, start: int, end: int) -> bool:
    before, word = content[content.rfind(b"\n", 0, start) + 1 : start], content[end : end + 1]
    whole = not re.match(rb"[\w-]", word)
    by_shape = re.search(rb"(?:(?<![\w-])(?:hf_|sk-)|://someone:)$", before) is not None
    return whole and (by_shape or _MARKED.search(before) is not None)


def _tree(folder: Path) -> dict[str, bytes]:
    files = [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]
    return {str(path): path.read_bytes() for path in files if path.is_file()}


def run(seed: int, numbers: range, workers: int = 1) -> Figures:
    """Runs inputs, each in a worker; one that dies is followed by another, which goes on behind it."""
    figures, shares = Figures(), [numbers[worker::workers] for worker in range(workers)]
    home = Path(tempfile.mkdtemp(prefix="fuzz-", dir=_memory()))
    running = {share.start: _Share(seed, share, home / str(share.start)) for share in shares if share}
    try:
        while running and len(figures.failures) < MOST:
            for key, share in list(running.items()):
                if not share.read(figures):
                    del running[key]
    finally:
        for share in running.values():
            share.end()
        shutil.rmtree(home, ignore_errors=True)
    return figures


def _memory() -> str | None:
    """A folder in memory, where there is one."""
    folder = "/dev/shm"  # noqa: S108 - mkdtemp makes a folder that is nobody else's
    return folder if os.access(folder, os.W_OK) else None


class _Share:
    """Some of the inputs, and the worker that runs them."""

    def __init__(self, seed: int, numbers: range, folder: Path) -> None:
        self._seed, self._left, self._folder = seed, numbers, folder
        self._start()

    def _start(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        reader, writer = os.pipe()
        sys.stdout.flush()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(reader)
            _work(self._seed, self._left, self._folder, writer)
        os.close(writer)
        self._lines = os.fdopen(reader, "rb")

    def read(self, figures: Figures) -> bool:
        """Takes the next line of the worker; whether there is more to come."""
        line = self._lines.readline()
        if line:
            self._left = self._left[1:]
            _count(figures, json.loads(line))
            return True
        self._lines.close()
        _, status = os.waitpid(self._pid, 0)
        if not self._left:
            return False
        self._died(figures, status)
        if self._left:
            self._start()
        return bool(self._left)

    def end(self) -> None:
        """Ends a worker that is still at work."""
        self._lines.close()
        with contextlib.suppress(ProcessLookupError, ChildProcessError):  # it has ended by itself
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def _died(self, figures: Figures, status: int) -> None:
        number, self._left = self._left[0], self._left[1:]
        file = self._folder.with_suffix(".stack")
        stack = file.read_text(errors="replace")[:3000] if file.exists() else "before its first input"
        figures.inputs += 1
        figures.codes["killed"] += 1
        figures.failures.append(_failure(self._seed, number, f"the worker died, status {status}: {stack}"))


def _failure(seed: int, number: int, what: str) -> str:
    """What is wrong, and how to see it again."""
    return f"seed {seed}, number {number} (python -m tests.fuzz.fuzz_worker {seed} {number}): {what}"


def _count(figures: Figures, line: dict) -> None:
    figures.inputs += 1
    figures.codes.update(line["codes"])
    figures.slowest = max(figures.slowest, (line["seconds"], line["number"]))
    figures.memory = max(figures.memory, line["memory"])
    figures.failures += line["failures"]


def _work(seed: int, numbers: range, folder: Path, pipe: int) -> None:
    """Runs inputs, a line for each; never returns."""
    code = 1
    try:
        # An allocator may have reserved a gigabyte that nothing uses.
        reserved = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (reserved + MEMORY,) * 2)
        os.environ.pop("PRE_COMMIT", None)
        gc.set_threshold(100_000)  # what an input leaves is small; to look for it all the time is not
        inputs = Inputs()
        with folder.with_suffix(".stack").open("w") as stack:
            for ends in (signal.SIGPROF, signal.SIGALRM):
                faulthandler.register(ends, stack, chain=True)
            for number in numbers:
                os.write(
                    pipe, json.dumps(_one(inputs, seed, number, folder / str(number), stack)).encode() + b"\n"
                )
        code = 0
    except BaseException:
        folder.with_suffix(".stack").write_text(traceback.format_exc())
    finally:
        os._exit(code)


def _one(inputs: Inputs, seed: int, number: int, folder: Path, stack: io.TextIOWrapper) -> dict:
    stack.truncate(0)
    signal.setitimer(signal.ITIMER_PROF, CPU)
    signal.setitimer(signal.ITIMER_REAL, CLOCK)
    files, calls = made(inputs, seed, number)
    start = time.process_time()
    ended = list(tried(files, calls, folder))
    seconds = time.process_time() - start
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    os.chdir("/")
    shutil.rmtree(folder)
    return {
        "number": number,
        "codes": [code for code, _ in ended],
        "failures": [_failure(seed, number, wrong) for _, wrong in ended if wrong],
        "seconds": seconds,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def check(seed: int, inputs: range, validated: int, migrated: int, workers: int = 0) -> Figures:
    """Runs inputs and checks what came of them.

    Args:
        seed: what the inputs are made from.
        inputs: their numbers.
        validated: how often validate-config ends with 0, with 1 and with 2 at least: not all may be refused.
        migrated: the same of migrate-config, and with 0 and with 2 of plans.
        workers: processes that run them; 0 for one a core, up to eight.
    """
    found = run(seed, inputs, workers=workers or min(8, os.cpu_count() or 1))
    assert found.inputs == len(inputs)
    assert not found.failures, "\n".join(found.failures)
    assert found.memory < 1 << 20  # KiB
    for command, least in (("validate-config", validated), ("migrate-config", migrated)):
        assert min(found.codes[f"{command} {code}"] for code in (0, 1, 2)) > least
    assert min(found.codes[f"rollout-split {code}"] for code in (0, 2)) > migrated
    return found


def replay(seed: int, number: int) -> None:
    """Shows one input, and what is wrong with it."""
    files, calls = made(Inputs(), seed, number)
    for name, content in files.items():
        if name not in USUAL or content != USUAL[name]:
            print(f"--- {name}\n{content[:4000].decode('utf-8', 'backslashreplace')}")
    with tempfile.TemporaryDirectory() as folder:
        for code, wrong in tried(files, calls, Path(folder)):
            print(code, wrong)
        os.chdir("/")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        replay(int(sys.argv[1]), int(sys.argv[2]))
    else:
        print(found := run(int(sys.argv[1]), range(int(sys.argv[2]), int(sys.argv[3])), int(sys.argv[4])))
        print(*found.failures, sep="\n")
