"""What tests count, for the end of the run.

Where tests are spread over processes, the one that prints the end has run none of them. So what a test counts
travels with its report.
"""


def carry(request, name, value):
    """Gives the report of a test a value, of which JSON can be made; to be called before its fixtures are gone."""
    request.node.user_properties.append((name, value))


def carried(reporter, name):
    """What tests carried under a name, in the order in which they stand in their files."""
    reports = [report for some in reporter.stats.values() for report in some if hasattr(report, "user_properties")]
    last = sorted((each for each in reports if each.when == "teardown"), key=lambda each: each.location[:2])
    return [value for report in last for key, value in report.user_properties if key == name]
