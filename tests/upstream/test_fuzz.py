"""The fuzz suite: 20,000 mutations of presets, pairs, project tables and checkpoints through both commands."""

from tests.fuzz.fuzz_worker import check


def test_no_input_ends_in_a_traceback_a_hang_or_a_secret(capsys):
    found = check(4502, range(20_000), validated=1000, migrated=300)
    with capsys.disabled():
        print(f"\n{found}")
