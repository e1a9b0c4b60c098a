"""What tests count, for the end of the run.

Where tests are spread over processes, the one that prints the end has run none of them. So what a test counts
travels with its report.
"""

import pytest


def carry(request, name, value):
    """Gives the report of a test a value, of which JSON can be made; to be called before its fixtures are gone."""
    request.node.user_properties.append((name, value))


def carried(reporter, name):
    """What tests carried under a name, in the order in which they stand in their files."""
    reports = [each for some in reporter.stats.values() for each in some if isinstance(each, pytest.TestReport)]
    last = sorted(
        (report for report in reports if report.when == "teardown"), key=lambda report: report.location[:2]
    )
    return [value for report in last for key, value in report.user_properties if key == name]
