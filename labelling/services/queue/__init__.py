"""The queue: which site a reviewer gets next, and the short leases that keep two reviewers apart."""

from labelling.services.queue.free import Upcoming
from labelling.services.queue.leases import Lease, beat_claim, leases_of, release_claim
from labelling.services.queue.progress import Progress, Waiting, progress_of, waiting_for
from labelling.services.queue.serving import Ahead, claim_sites, hold_ahead, upcoming_sites

__all__ = [
    "Ahead",
    "Lease",
    "Progress",
    "Upcoming",
    "Waiting",
    "beat_claim",
    "claim_sites",
    "hold_ahead",
    "leases_of",
    "progress_of",
    "release_claim",
    "upcoming_sites",
    "waiting_for",
]
