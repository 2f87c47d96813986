"""Errors of the middle room."""


class InferenceError(Exception):
    """Base of every error that this room raises on purpose; its text is fit to show to a user."""


class ModelMissing(InferenceError):
    """No model version of that name, or its weights are not where the row says."""


class ModelRefused(InferenceError):
    """Weights that may not be loaded, or do not fit the imagery."""


class NothingToDetect(InferenceError):
    """The run has no scene to work on."""
