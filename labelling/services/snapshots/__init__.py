"""Snapshots: labels exported as files, with all that is needed to trust and to use them."""

from labelling.services.snapshots.rows import (
    TASK,
    begin_snapshot,
    check_out,
    copy_snapshot,
    enqueue_snapshot,
    run_snapshot,
    whole_snapshot,
)
from labelling.services.snapshots.writing import write_snapshot

__all__ = [
    "TASK",
    "begin_snapshot",
    "check_out",
    "copy_snapshot",
    "enqueue_snapshot",
    "run_snapshot",
    "whole_snapshot",
    "write_snapshot",
]
