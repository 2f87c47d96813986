"""Gold sites: settled ones by which reviewers are measured, hidden among what they get.

A reviewer is dealt each gold site once in a campaign, sees it as it was before anybody judged it
(``labelling.services.blind``), and decides as on any other. The answer is stored and scored, never applied.
Leads are dealt none: who marks gold sites knows them.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from labelling.core.errors import BadInput, NotAllowed
from labelling.core.gold import gold_gap, longest_gap
from labelling.core.review import BACKGROUND_REASONS, LEADS, share_place
from labelling.models import Campaign, Claim, Decision, Gold, GoldLook, Label, Site
from labelling.services.opinions import SETTLED

_STEP = 7919  # a prime: each reviewer of a campaign gets the gold sites in another order
_AT_ONCE = 50


@transaction.atomic
def mark_gold(*, user: User, site: Site) -> Gold:
    """Take the label of a site for the truth when reviewers are measured; twice is once.

    Raises:
        NotAllowed: the user settles nothing.
        BadInput: the site is neither verified nor rejected because there is no mine.
    """
    if not user.has_perm(LEADS):
        raise NotAllowed("only a lead marks gold sites")
    if not can_be_gold(site=site):
        raise BadInput("only a site that is verified, or rejected as not a mine, can be gold")
    gold, _ = Gold.objects.get_or_create(site=site, defaults={"marked_by": user})
    return gold


def unmark_gold(*, user: User, site: Site) -> bool:
    """Deal a site no more as gold; what was answered stays, and is still scored.

    Returns:
        Whether it was gold.

    Raises:
        NotAllowed: the user settles nothing.
    """
    if not user.has_perm(LEADS):
        raise NotAllowed("only a lead marks gold sites")
    return bool(Gold.objects.filter(site=site).delete()[0])


def can_be_gold(*, site: Site) -> bool:
    """Whether the label of a site says what is there, or that nothing is."""
    return Label.objects.filter(_truth(""), site=site).exists()


def _truth(prefix: str) -> Q:
    empty = {f"{prefix}state": Label.State.REJECTED, f"{prefix}reason__in": BACKGROUND_REASONS}
    return Q(**{f"{prefix}state": Label.State.VERIFIED}) | Q(**empty)


def gold_of(*, campaign: Campaign) -> QuerySet[Site]:
    """The gold sites of a campaign: those of its sites whose label says something on its axis."""
    sites = Site.objects.matching(campaign.conditions())
    named = Q(**{f"label__{campaign.axis}__isnull": False}) | Q(label__state=Label.State.REJECTED)
    return sites.filter(_truth("label__"), named, gold__isnull=False, state__in=SETTLED, due_again=False)


def gold_answers(*, user: User, campaign: Campaign) -> QuerySet[Decision]:
    """What a reviewer said of gold sites in a campaign and did not take back, skips too."""
    said = Decision.objects.filter(reviewer=user, campaign=campaign, gold=True, undone_by__isnull=True)
    return said.exclude(verdict=Decision.Verdict.UNDO)


def gold_in_hand(*, user: User, campaign: Campaign, sites: Collection[int]) -> set[int]:
    """Of some sites, those that were dealt to a reviewer as gold and have no answer yet."""
    if not sites:
        return set()
    answer = gold_answers(user=user, campaign=campaign).filter(site=OuterRef("site")).order_by()
    looks = GoldLook.objects.filter(
        ~Exists(answer),
        reviewer=user,
        campaign=campaign,
        site__in=sites,
        site__gold__isnull=False,
        site__state__in=SETTLED,
    )
    return set(looks.values_list("site_id", flat=True))


def mix_in(
    *, user: User, campaign: Campaign, sites: Sequence[int], count: int, exclude: Collection[int] = ()
) -> list[int]:
    """Put gold sites among the sites that a reviewer gets next, as many as the campaign's share asks for.

    Args:
        user: the reviewer.
        campaign: the queue.
        sites: ids in the order of the queue.
        count: how many are wanted.
        exclude: what the reviewer has at hand already, decided or not.

    Returns:
        Up to ``count`` ids.
    """
    if not campaign.gold_share or user.has_perm(LEADS):
        return list(sites[:count])
    hand, rest = _Hand.of(user, campaign, exclude), iter(sites)
    mixed: list[int] = []
    while len(mixed) < count:
        site = hand.next_gold() or next(rest, None)
        if site is None:
            break
        hand.since += 1
        mixed.append(site)
    return mixed


@dataclass
class _Hand:
    """What a reviewer has had in a campaign.

    Attributes:
        user: the reviewer.
        campaign: the queue.
        turn: gold sites so far.
        since: items since the last of them.
        dealt: gold sites that were shown ahead and wait for their turn.
        seen: every gold site that was ever dealt.
    """

    user: User
    campaign: Campaign
    turn: int
    since: int
    dealt: list[int]
    seen: set[int]
    fresh: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        self.fresh = self._fresh()

    @classmethod
    def of(cls, user: User, campaign: Campaign, exclude: Collection[int]) -> "_Hand":
        mine = Decision.objects.filter(reviewer=user, campaign=campaign, undone_by__isnull=True)
        mine = mine.exclude(verdict=Decision.Verdict.UNDO)
        recent = list(mine.order_by("-id").values_list("gold", flat=True)[: longest_gap(campaign.gold_share)])
        held = Claim.objects.filter(reviewer=user, campaign=campaign, expires_at__gt=timezone.now())
        at_hand = {*exclude, *held.values_list("site_id", flat=True)}
        at_hand -= set(mine.filter(site__in=at_hand).values_list("site_id", flat=True))
        seen = list(
            GoldLook.objects.filter(reviewer=user, campaign=campaign).order_by("id").values_list("site_id", flat=True)
        )
        open_looks = gold_in_hand(user=user, campaign=campaign, sites=seen)
        waiting = [pk for pk in seen if pk in open_looks and pk not in at_hand]
        since = recent.index(True) if True in recent else len(recent)
        turn = gold_answers(user=user, campaign=campaign).count()
        hand = cls(user, campaign, turn, since + len(at_hand), waiting, set(seen))
        for _ in open_looks & at_hand:
            # Each came in its turn, which is where it stands among what is not decided yet.
            hand.since = max(0, hand.since - hand.gap())
            hand.turn += 1
        return hand

    def next_gold(self) -> int | None:
        """A gold site, where one is due and there is one."""
        if self.since + 1 < self.gap():
            return None
        gold = self.dealt.pop(0) if self.dealt else next(self.fresh, None)
        if gold is not None:
            self.turn, self.since = self.turn + 1, -1
        return gold

    def gap(self) -> int:
        """How many items there are from the last gold site to the next."""
        said = f"{self.campaign.pk}-{self.user.pk}-{self.turn // 2}"
        draw = int(salted_hmac("labelling.gold", said).hexdigest()[:12], 16) / 16**12
        return gold_gap(share=self.campaign.gold_share, turn=self.turn, draw=draw)

    def _fresh(self) -> Iterator[int]:
        """Gold sites that the reviewer neither marked nor spoke of, each written down as dealt before it is given."""
        spoken = Decision.objects.in_force().filter(reviewer=self.user, site=OuterRef("pk")).order_by()
        place = share_place(F("pk"), campaign=self.campaign.pk + _STEP * self.user.pk)
        sites = gold_of(campaign=self.campaign).exclude(Exists(spoken)).exclude(gold__marked_by=self.user)
        sites = sites.exclude(pk__in=self.seen).alias(place=place).order_by("place", "pk")
        for pk in list(sites.values_list("pk", flat=True)[:_AT_ONCE]):
            GoldLook.objects.get_or_create(campaign=self.campaign, reviewer=self.user, site_id=pk)
            yield pk
