"""Errors of the top room."""


class TrainingError(Exception):
    """Base of every error that this room raises on purpose; its text is fit to show to a user."""


class BadRecipe(TrainingError):
    """A recipe with a field that is missing, unknown or out of range."""


class TooFewLabels(TrainingError):
    """There are not enough verified labels in reviewed areas to build the dataset asked for."""


class NoRoom(TrainingError):
    """The disk is too full for what was asked."""


class Leak(TrainingError):
    """A training chip lies within a test block or its buffer."""


class FrozenTestSet(TrainingError):
    """The test set exists and may not be changed."""


class TrainingFailed(TrainingError):
    """The child process of the training ended without weights."""
