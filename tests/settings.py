"""The settings of a test run: a home of its own, made before pytest-django reads the settings."""

import os
import tempfile
from pathlib import Path

# Tests that run side by side inherit the home of the run and write to folders of their own in it.
_home = os.environ.setdefault("MAD_TEST_HOME", os.environ.get("MAD_HOME") or tempfile.mkdtemp(prefix="mad-test-"))
os.environ["MAD_HOME"] = str(Path(_home) / os.environ.get("PYTEST_XDIST_WORKER", "main"))
os.environ.setdefault("YOLO_OFFLINE", "true")
os.environ.setdefault("YOLO_AUTOINSTALL", "false")
# What a test starts is a program like any other.
os.environ["DJANGO_SETTINGS_MODULE"] = "mad_web.settings"

from mad_web.settings import *  # noqa: E402, F403  # the settings under test
