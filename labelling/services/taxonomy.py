"""Bring the taxonomy that ships into the database."""

from django.db import transaction

from labelling.core.taxonomy import TAXONOMY
from labelling.models import MineType


@transaction.atomic
def sync_taxonomy() -> int:
    """Add the types that are missing; what an admin renamed or recoloured stays.

    Returns:
        How many were added.
    """
    known = set(MineType.objects.values_list("code", flat=True))
    fresh = [
        MineType(code=spec.code, name=spec.name, axis=spec.axis, color=spec.color, rank=spec.rank)
        for spec in TAXONOMY
        if spec.code not in known
    ]
    MineType.objects.bulk_create(fresh)
    return len(fresh)
