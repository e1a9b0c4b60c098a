"""A tenth of the fuzz suite; the whole is in tests/upstream."""

from fuzz_worker import check


def test_no_input_ends_in_a_traceback_a_hang_or_a_secret(capsys):
    found = check(12, 2_000, validated=100, migrated=30)
    with capsys.disabled():
        print(f"\n{found}")
