"""What takes long to look up in a large queue is kept for a while in proportion."""

import hashlib
import json
import time
from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache

from labelling.models import Campaign

Found = TypeVar("Found")
# Looking things up may take at most about one twentieth of the time; what is quick is looked up each time.
SHARE = 20
AT_ONCE_S = 0.005


def kept(
    what: str, campaign: Campaign, look: Callable[[], Found], *, seconds: Callable[[Found], float] | None = None
) -> Found:
    """Look something up that depends on the conditions of a campaign, or take what was found a moment ago.

    Args:
        what: names it.
        campaign: with other conditions it is another thing.
        look: finds it.
        seconds: says of what was found how long it is kept; None: in proportion to the time that it took.
    """
    conditions = hashlib.sha256(json.dumps(campaign.filter, sort_keys=True).encode()).hexdigest()
    key = f"queue-{what}-{campaign.pk}-{campaign.created_at.timestamp()}-{conditions}"
    found: Found | None = cache.get(key)
    if found is None:
        began = time.perf_counter()
        found = look()
        took = time.perf_counter() - began
        keep_s = seconds(found) if seconds else took * SHARE if took > AT_ONCE_S else 0
        if keep_s:
            cache.set(key, found, keep_s)
    return found
