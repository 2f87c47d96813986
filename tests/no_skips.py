"""Where CI=true, nothing is skipped for want of a package: .ci/setup installs them all."""

import os
from collections.abc import Generator

import pytest

# What may be skipped even where nothing may: these wait for files, a server or a machine, not for a package.
_MAY_SKIP = frozenset({"real", "postgres", "redis", "spatialite", "screenshots", "gpu", "online"})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    allowed = os.environ.get("CI") != "true" or _MAY_SKIP & {mark.name for mark in item.iter_markers()}
    if report.skipped and not allowed:
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI=true does not allow; run make setup. {report.longreprtext}"
    return report
