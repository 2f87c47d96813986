"""Decisions, the labels that are derived from them, and the areas where everything is labelled."""

from labelling.services.decisions.areas import areas_in, complete_area, revoke_area
from labelling.services.decisions.labels import derive_label, rebuild_labels
from labelling.services.decisions.reckoning import check_decisions, check_if_due, last_check, run_check
from labelling.services.decisions.steps import own_steps
from labelling.services.decisions.submission import Receipt, Submission
from labelling.services.decisions.submit import submit_decision

__all__ = [
    "Receipt",
    "Submission",
    "areas_in",
    "check_decisions",
    "check_if_due",
    "complete_area",
    "derive_label",
    "last_check",
    "own_steps",
    "rebuild_labels",
    "revoke_area",
    "run_check",
    "submit_decision",
]
