"""Catalogued scenes with blobs, for the tests of services and pages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labelling.models import Scene
from labelling.services.scenes import import_scenes
from tests.inference.scenes import Blob, blob_scene


def catalogued(path: Path, blobs: Sequence[Blob], **more: Any) -> Scene:
    """A scene file with blobs, imported as an admin would."""
    blob_scene(path, blobs, **more)
    report = import_scenes(paths=[path])
    assert report.refused == ()
    return report.added[0]
