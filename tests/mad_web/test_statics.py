import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from mad_web.statics import collect_changed_statics


@pytest.fixture
def source(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """A folder of static files that is the only one."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "page.css").write_text("body { color: red }")
    settings.STATICFILES_DIRS = [folder]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "collected"
    yield folder


def collected(settings: Settings) -> str:
    return (Path(settings.STATIC_ROOT) / "page.css").read_text()


def test_files_are_collected_once(source: Path, settings: Settings) -> None:
    assert collect_changed_statics() is True
    assert "red" in collected(settings)
    assert collect_changed_statics() is False


def test_a_changed_file_is_collected_again(source: Path, settings: Settings) -> None:
    collect_changed_statics()
    (source / "page.css").write_text("body { color: light-blue }")
    later = time.time() + 10  # Django compares whole seconds
    os.utime(source / "page.css", (later, later))
    assert collect_changed_statics() is True
    assert "light-blue" in collected(settings)


def test_a_collection_that_failed_is_begun_again(
    source: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect_changed_statics()
    (source / "more.css").write_text("p {}")

    def full_disk(*_args: object, **_options: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as broken, pytest.raises(OSError, match="no space"):
        broken.setattr("mad_web.statics.call_command", full_disk)
        collect_changed_statics()
    assert collect_changed_statics() is True
    assert (Path(settings.STATIC_ROOT) / "more.css").is_file()
