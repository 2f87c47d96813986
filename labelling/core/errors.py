"""Errors of the ground room: each says what happened and what to change."""


class LabellingError(Exception):
    """Base of every error that this room raises on purpose; its text is fit to show to a user."""


class BadInput(LabellingError):
    """A file, a row or a value that cannot be taken as it is.

    Attributes:
        file: name of the file, if the fault is in one.
        row: number of the row, counted from 1, if the fault is in one.
    """

    def __init__(self, reason: str, *, file: str | None = None, row: int | None = None) -> None:
        self.reason, self.file, self.row = reason, file, row
        where = ", ".join(part for part in (file, f"row {row}" if row is not None else None) if part)
        super().__init__(f"{where}: {reason}" if where else reason)


class BadRaster(BadInput):
    """An image that cannot be catalogued or read."""


class BadGeometry(BadInput):
    """A geometry that is not finite, out of range, too large, or crosses itself."""


class NotFound(LabellingError):
    """What was asked for is not there, or is not yours to see."""


class Conflict(LabellingError):
    """The site has changed since you saw it; the newer state travels with the error.

    Attributes:
        current: the newer state, ready for JSON.
    """

    def __init__(self, reason: str, *, current: dict[str, object] | None = None) -> None:
        self.current = current or {}
        super().__init__(reason)


class KeyReused(LabellingError):
    """An idempotency key came a second time with another body."""


class NotAllowed(LabellingError):
    """You may see this but not do that."""


class TryLater(LabellingError):
    """The server cannot do this now; nothing was changed."""
