"""Where imagery lies."""

from pathlib import Path

from django.conf import settings


def scene_roots() -> tuple[Path, ...]:
    """The folders below which imagery may lie."""
    return (settings.MAD_HOME, *settings.SCENE_ROOTS)


def copy_store() -> Path:
    """The folder of our own copies."""
    return Path(settings.MAD_HOME) / "scenes"
