"""The guide: what leads write of each type, and what was decided, as examples."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, QuerySet

from labelling.core.errors import BadInput, Conflict
from labelling.models import Decision, Label, MineType
from labelling.models.taxonomy import Axis
from labelling.services.pictures import Picture, take_pictures

MAX_GUIDELINE = 10_000
MAX_EXAMPLES = 8
# What an image cannot show, or what stands elsewhere, says nothing of the type.
TELLING_REASONS = (Decision.Reason.NOT_A_MINE, Decision.Reason.WRONG_TYPE, Decision.Reason.INACTIVE)


@dataclass(frozen=True)
class Entry:
    """One type in the list of the guide, and how many sites are verified as it."""

    mine_type: MineType
    verified: int


@dataclass(frozen=True)
class Example:
    """A decision to learn from, with the ground that was judged."""

    label: Label
    picture: Picture


def list_guide() -> dict[str, list[Entry]]:
    """Give every type by axis, in the order of the taxonomy."""
    verified: dict[int | None, int] = {}
    for axis in Axis.values:
        labels = Label.objects.filter(state=Label.State.VERIFIED, **{f"{axis}__isnull": False}).order_by()
        verified |= dict(labels.values_list(axis).annotate(Count("pk")))
    found: dict[str, list[Entry]] = {axis: [] for axis in Axis.values}
    for mine_type in MineType.objects.order_by("axis", "rank", "code"):
        found[mine_type.axis].append(Entry(mine_type, verified.get(mine_type.pk, 0)))
    return found


def accepted_examples(*, mine_type: MineType) -> list[Example]:
    """The newest verified sites of a type that have an outline."""
    labels = Label.objects.filter(state=Label.State.VERIFIED, **{mine_type.axis: mine_type})
    return _examples([label for label in _newest(labels) if label.geometry.dims][:MAX_EXAMPLES])


def rejected_examples(*, mine_type: MineType) -> list[Example]:
    """The newest sites that were proposed as a type and rejected for a reason that tells something of the type."""
    labels = Label.objects.filter(
        state=Label.State.REJECTED,
        reason__in=TELLING_REASONS,
        **{f"decision__types__{mine_type.axis}": mine_type.code},
    )
    return _examples(_newest(labels)[:MAX_EXAMPLES])


def _newest(labels: QuerySet[Label]) -> Sequence[Label]:
    # A few more than are shown: points are left out afterwards.
    return list(labels.select_related("site", "decision__reviewer").order_by("-pk")[: 3 * MAX_EXAMPLES])


def _examples(labels: Sequence[Label]) -> list[Example]:
    pictures = take_pictures(of=[(label.site, [label.geometry]) for label in labels])
    return [Example(label, picture) for label, picture in zip(labels, pictures, strict=True)]


def digest(text: str) -> str:
    """Tell one version of a guideline from another."""
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def write_guideline(*, mine_type: MineType, text: str, seen: str) -> None:
    """Replace the guideline of a type.

    Args:
        mine_type: the type.
        text: plain text, at most ``MAX_GUIDELINE`` characters.
        seen: ``digest`` of the text that the writer started from.

    Raises:
        BadInput: the text is too long.
        Conflict: somebody else has written since; ``current`` has their ``text``.
    """
    if len(text) > MAX_GUIDELINE:
        raise BadInput(f"the guideline is longer than {MAX_GUIDELINE} characters")
    held = MineType.objects.select_for_update().get(pk=mine_type.pk)
    if digest(held.guideline) != seen and held.guideline != text:
        msg = "somebody else has changed this guideline since you opened it"
        raise Conflict(msg, current={"text": held.guideline})
    MineType.objects.filter(pk=held.pk).update(guideline=text)
