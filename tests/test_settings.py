"""The settings of a test run."""

import os

from django.conf import settings


def test_processes_that_run_tests_side_by_side_have_a_home_each() -> None:
    """Or what one of them removes is gone for another."""
    assert settings.MAD_HOME.name == os.environ.get("PYTEST_XDIST_WORKER", "main")
