"""What a person sees of a job: its row, the end of its log, and whether it may be stopped."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelling.models import Job
from labelling.services.jobs import log_of

LINES = 200
_TAIL_BYTES = 64 * 1024
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Watch:
    """A job as the templates ``labelling/_job.html`` and ``labelling/_job_log.html`` show it.

    Attributes:
        job: the row.
        log: the end of its log, plain text.
        may_cancel: the user may stop it, and it has not ended.
    """

    job: Job
    log: str
    may_cancel: bool


def watch_job(*, job: Job, user: Any) -> Watch:
    """Put together what a user sees of a job that he may see."""
    may_cancel = job.created_by_id == user.pk or user.has_perm("labelling.change_job")
    return Watch(job, tail_of(log=log_of(job)), may_cancel and not job.is_final and not job.is_silent)


def tail_of(*, log: Path) -> str:
    """Read the last lines of a log.

    Args:
        log: the file; it may not be there yet.

    Returns:
        Plain text: no colours, and of a line that was written over again and again its last state.
    """
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        text = file.read().decode("utf-8", "replace")
    plain = (_COLOUR.sub("", line).rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n"))
    return "\n".join([line for line in plain if line][-LINES:])
