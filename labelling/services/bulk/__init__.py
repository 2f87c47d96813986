"""Actions of a lead on many sites at once: drawn up, confirmed, worked off, and taken back as a whole."""

from labelling.services.bulk.drawing import MAX_SHIFT_M, MAX_SITES, Wish, draw_up_bulk, phrase_of
from labelling.services.bulk.moving import preview_moves
from labelling.services.bulk.preview import Preview, outcomes_of, preview_bulk
from labelling.services.bulk.work import TASK, run_bulk, start_bulk, undo_bulk

__all__ = [
    "MAX_SHIFT_M",
    "MAX_SITES",
    "TASK",
    "Preview",
    "Wish",
    "draw_up_bulk",
    "outcomes_of",
    "phrase_of",
    "preview_bulk",
    "preview_moves",
    "run_bulk",
    "start_bulk",
    "undo_bulk",
]
