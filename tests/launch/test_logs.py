"""What a launcher keeps of the output of what it started."""

import os
import threading

from launch.run.logs import Pump
from launch.run.reporter import Reporter

LINES = 50_000


def talk(pipe):
    with os.fdopen(pipe, "wb") as stream:
        for number in range(LINES):
            stream.write(b"line %d\n" % number)


def test_last_lines_may_be_asked_for_while_output_comes(tmp_path):
    reader, writer = os.pipe()
    talker = threading.Thread(target=talk, args=(writer,))
    seen = set()
    with os.fdopen(reader, "rb") as stream:
        pump = Pump(stream, tmp_path / "log", show=False, report=Reporter("server"))
        pump.start()
        talker.start()
        while pump.is_alive():
            for line in pump.last_lines():
                seen.add(line)
        talker.join()
        pump.join()
    assert pump.last_lines()[-1] == f"line {LINES - 1}"
    assert seen <= {f"line {number}" for number in range(LINES)}
