"""Bring imagery into the catalogue, from this machine and from others."""

from labelling.services.scenes.conversion import CONVERT, conversion_of, convert_scene, order_conversion
from labelling.services.scenes.finding import scenes_called
from labelling.services.scenes.importing import import_scenes
from labelling.services.scenes.jobs import IMPORT, READ, order_import, resume_import, work_on_import
from labelling.services.scenes.listing import Refusal
from labelling.services.scenes.report import SceneReport
from labelling.services.scenes.roots import scene_roots

__all__ = [
    "CONVERT",
    "IMPORT",
    "READ",
    "Refusal",
    "SceneReport",
    "conversion_of",
    "convert_scene",
    "import_scenes",
    "order_conversion",
    "order_import",
    "resume_import",
    "scene_roots",
    "scenes_called",
    "work_on_import",
]
