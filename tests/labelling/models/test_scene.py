from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from labelling.models import Scene
from labelling.services.scenes import import_scenes
from tests.scenes import make_scene


@pytest.mark.parametrize(
    ("quality", "usable"),
    [
        ({}, 1.0),
        ({"valid": 0.5}, 0.5),
        ({"valid": 0.9659, "clear": 0.4522}, 0.4),
        ({"valid": 1.0, "clear": 0.97}, 1.0),
        ({"valid": 0.0, "clear": 0.0}, 0.0),
    ],
)
def test_a_scene_is_as_usable_as_it_has_data_that_is_clear(quality: dict[str, Any], usable: float) -> None:
    assert Scene(quality=quality).usable == usable


@pytest.mark.django_db
def test_scenes_are_found_by_what_was_measured(tmp_path: Path) -> None:
    for name, quality in (
        ("bad", {"valid": 1.0, "cloud": 0.8, "clear": 0.2}),
        ("good", {"valid": 0.6, "cloud": 0.0, "clear": 1.0}),
        ("unknown", {"valid": 1.0}),
    ):
        import_scenes(paths=[make_scene(tmp_path / f"{name}.tif", size=32)])
        Scene.objects.filter(name=name).update(quality=quality, acquired_at=datetime(2022, 1, 1, tzinfo=UTC))
    Scene.objects.filter(name="good").update(measured="now")
    names = [
        [scene.name for scene in found]
        for found in (
            Scene.objects.clearest_first(),
            Scene.objects.with_cloud_up_to(0.5),
            Scene.objects.with_data_from(0.7),
            Scene.objects.unmeasured("now"),
        )
    ]
    assert names == [["good", "bad", "unknown"], ["good"], ["bad", "unknown"], ["bad", "unknown"]]
