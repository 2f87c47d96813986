"""Rows of the middle room."""

from inference.models.dispatch import DispatchEntry
from inference.models.model_version import ModelVersion
from inference.models.run import Detection, DetectionRun, Shard, Sighting

__all__ = ["Detection", "DetectionRun", "DispatchEntry", "ModelVersion", "Shard", "Sighting"]
