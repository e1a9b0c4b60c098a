"""What a learner told wandb and swanlab: files as those of a real learner are (tests/upstream/cpu)."""

import json
import random
import struct

import pytest

from launch.timing import swanlab
from launch.timing import wandb
from tests.launch.timing.runs import launched
from tests.launch.timing.test_report import report

STEP = "train/global_step"
REWARDS = "profiling/Time taken: GRPOTrainer._compute_rewards_per_func"


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def field(number, value):
    """A field of a message: bytes, a whole number, or any other."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 1) + struct.pack("<d", value)


def framed(records):
    """A file of records: pieces in blocks of 32 KiB, with a header before each."""
    data = b":W&B\xe1\xbe\x00"
    for record in records:
        begun, rest = False, record
        while rest or not begun:
            if (left := 32_768 - len(data) % 32_768) < 7:
                data, left = data + bytes(left), 32_768
            piece, rest = rest[: left - 7], rest[left - 7 :]
            kind = {(False, False): 1, (False, True): 2, (True, True): 3, (True, False): 4}[begun, bool(rest)]
            data, begun = data + struct.pack("<IHB", 0, len(piece), kind) + piece, True
    return data


def item(name, value, form):
    """An item of a row: releases of wandb write its name whole and JSON, or its name in parts and a number."""
    if form == "json":
        return field(1, name.encode()) + field(16, json.dumps(value).encode())
    parts = b"".join(field(2, part.encode()) for part in name.split("."))
    return parts + field(5 if isinstance(value, int) else 6, value)


def history(row, form):
    """A record of a row."""
    told = b"".join(field(1, item(name, value, form)) for name, value in row.items())
    return field(2, told) + field(1, 7)


ROWS = [{"train/global_step": step, REWARDS: 0.5 + step, "text": "x" * 9_000} for step in range(1, 13)]


@pytest.mark.parametrize("form", ["json", "numbers"])
def test_rows(tmp_path, form):
    rows = [{name: value for name, value in row.items() if form == "json" or name != "text"} for row in ROWS]
    file = tmp_path / "run.wandb"
    file.write_bytes(framed([field(17, b"about the run"), *(history(row, form) for row in rows)]))
    assert file.stat().st_size > (3 * 32_768 if form == "json" else 1_000)
    told = [{"train/global_step": step, REWARDS: 0.5 + step} for step in range(1, 13)]
    assert list(wandb.rows(file)) == told


def test_cut_and_broken_files(tmp_path):
    """They are read as far as they go."""
    whole = framed([history(row, "json") for row in ROWS])
    file = tmp_path / "run.wandb"
    told, chance = [{"train/global_step": n, REWARDS: 0.5 + n} for n in range(1, 13)], random.Random(7)
    for _ in range(60):
        cut = chance.randrange(len(whole))
        file.write_bytes(whole[:cut])
        found = list(wandb.rows(file))
        assert found == told[: len(found)]
        assert len(found) >= cut // 9_300
        file.write_bytes(whole[:cut] + chance.randbytes(40) + whole[cut + 40 :])
        assert len(list(wandb.rows(file))) <= len(ROWS)
    assert list(wandb.rows(tmp_path / "none")) == []


def test_reward_functions_are_told_apart(tmp_path):
    folder = launched(tmp_path, learn=16.0)
    (folder / "timings.jsonl").unlink()
    saved = tmp_path / "wandb/offline-run-20261129_034700-gxv2j0uj"
    saved.mkdir(parents=True)
    rows = [{"train/global_step": step, REWARDS: 12.0} for step in range(1, 5)]
    (saved / "run-gxv2j0uj.wandb").write_bytes(framed([history(row, "json") for row in rows]))
    (folder / "output.log").write_text(
        f"[INFO:swift] x\nwandb: Run data is saved locally in {saved}\nwandb: View\n"
    )
    code, out, _ = report(folder)
    assert code == 0
    assert "The reward functions take 12.00 of 20.00 s per step (60%)." in out
    assert "rewards      12.00 s   reward functions, within learn, as ms-swift told its tracker" in out


def scalar(name, value, form):
    """A record of one number, as swanlab writes it: from 0.8 on a message, which has no zeros, and JSON before."""
    if form == "json":
        data = {"metric": {"index": 0, "data": value}, "key": name, "step": 1, "epoch": 1}
        return json.dumps({"model_type": "Scalar", "data": data}).encode() + b"\n"
    number = field(1, float(value)) if value else b""
    return field(1, 7) + field(13, field(1, name.encode()) + field(3, 1) + field(5, number))


def run_of_swanlab(form):
    """Records of some steps, among others."""
    for step in range(1, 13):
        yield b'{"model_type": "Log", "data": {"message": "x"}}\n' if form == "json" else field(16, b"\n\x01x")
        yield scalar(REWARDS, 0.5 + step, form)
        yield scalar("train/loss", 0.0, form)
        yield scalar(STEP, step, form)


@pytest.mark.parametrize("form", ["json", "messages"])
def test_rows_of_swanlab(tmp_path, form):
    file = tmp_path / "run.swanlab"
    whole = framed(list(run_of_swanlab(form)))
    file.write_bytes(whole)
    expected = [{REWARDS: 0.5 + n, "train/loss": 0.0, STEP: n} for n in range(1, 13)]
    assert list(swanlab.rows(file)) == expected
    chance = random.Random(8)
    for _ in range(60):
        cut = chance.randrange(len(whole))
        file.write_bytes(whole[:cut])
        found = list(swanlab.rows(file))
        assert found == expected[: len(found)]
        file.write_bytes(whole[:cut] + chance.randbytes(40) + whole[cut + 40 :])
        assert len(list(swanlab.rows(file))) <= len(expected)
    assert list(swanlab.rows(tmp_path / "none")) == []


@pytest.mark.parametrize(
    ("said", "file"),
    [("Run data saved at", "run-q987.swanlab"), ("Run data will be saved locally in", "backup.swanlab")],
)
def test_reward_functions_that_swanlab_tells_apart(tmp_path, said, file):
    folder = launched(tmp_path, learn=16.0)
    (folder / "timings.jsonl").unlink()
    saved = tmp_path / "swanlog/run-20261129_061857-q987g1af"
    saved.mkdir(parents=True)
    records = [scalar(name, value, "") for step in range(1, 5) for name, value in ((REWARDS, 12.0), (STEP, step))]
    (saved / file).write_bytes(framed(records))
    name = str(saved)
    broken = f"{name[:-6]}\n{name[-6:]}"  # as swanlab breaks what is wider than a terminal
    (folder / "output.log").write_text(f"swanlab: Tracking run\nswanlab: {said} \n{broken}\nswanlab: View\n")
    code, out, _ = report(folder)
    assert code == 0
    assert "The reward functions take 12.00 of 20.00 s per step (60%)." in out
