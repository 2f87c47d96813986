"""Rows of the top room."""

from training.models.dataset import Dataset, DatasetSite
from training.models.experiment import EpochLog, Experiment
from training.models.score import Score
from training.models.testset import TestBlock, TestLabel, TestSet, TestWindow
from training.models.type_study import TypeOpinion, TypeStudy

__all__ = [
    "Dataset",
    "DatasetSite",
    "EpochLog",
    "Experiment",
    "Score",
    "TestBlock",
    "TestLabel",
    "TestSet",
    "TestWindow",
    "TypeOpinion",
    "TypeStudy",
]
