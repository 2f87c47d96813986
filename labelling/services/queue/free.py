"""Which sites are free for a reviewer."""

import itertools
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from labelling.core.review import LEADS, SHARE_STEPS, share_place_sql
from labelling.models import Campaign, Site
from labelling.services.queue import statements
from labelling.services.queue.memory import kept
from labelling.services.queue.suspects import suspects_in_turn

WINDOW = 500
"""So many sites that meet the conditions of a campaign are looked up at once."""


class Upcoming(NamedTuple):
    """A site of the queue, and its version."""

    site: int
    version: int


class Free:
    """The sites that are free for a reviewer in a campaign.

    Args:
        user: the reviewer.
        campaign: the queue.
        exclude: site ids to leave out.
        lock: hold the rows until the end of the transaction. On PostGIS those that somebody is just leasing are
            passed over; SpatiaLite has one writer at a time.
    """

    def __init__(self, user: User, campaign: Campaign, exclude: Collection[int] = (), *, lock: bool = False) -> None:
        self.user, self.campaign = user, campaign
        self.exclude = set(exclude)
        self._lock = " FOR UPDATE OF s SKIP LOCKED" if lock and connection.vendor == "postgresql" else ""
        self._conditions = campaign.conditions()

    def first(self, count: int) -> list[Upcoming]:
        """The next sites of the queue: for a lead first what is contested; at its end what the reviewer skipped."""
        if self._conditions.suspect:
            turn = suspects_in_turn(user=self.user, conditions=self._conditions, exclude=self.exclude)
            return self.wanted(turn)[:count]
        found = self._contested(count)
        found += self._in_turn(self._in_order(count - len(found)), count - len(found))
        if len(found) < count:
            self.exclude |= {one.site for one in found}
            found += self._rows(statements.SKIPPED, count=count - len(found), among=self._skipped_among())
        return found

    def _contested(self, count: int) -> list[Upcoming]:
        """What waits for a lead, if this is one."""
        if not self.user.has_perm(LEADS):
            return []
        among = None
        if campaign_asks(self.campaign):
            contested = Site.objects.filter(state=Site.State.CONTESTED).matching(self._conditions)
            among = kept("contested", self.campaign, lambda: list(contested.values_list("pk", flat=True)))
        return self._rows(statements.CONTESTED, among=among, count=count)

    def _in_turn(self, found: list[Upcoming], count: int) -> list[Upcoming]:
        """Put what is asked again among the open sites, each at its priority."""
        again = self._again(count)
        if not again:
            return found
        ids = [one.site for one in found]
        priority = dict(Site.objects.filter(pk__in=ids).values_list("pk", "priority"))
        turns = [(-priority[one.site], one.site, one) for one in found]
        turns += [(-its_priority, site, Upcoming(site, version)) for site, version, its_priority in again]
        return [one for _, _, one in sorted(turns)][:count]

    def _again(self, count: int, *, want: Sequence[int] | None = None) -> list[tuple[int, int, float]]:
        """Settled sites that need one more opinion; of all, or of those that are wanted."""
        among = want
        if among is None and campaign_asks(self.campaign):
            due = Site.objects.filter(due_again=True).matching(self._conditions)
            among = kept("again", self.campaign, lambda: list(due.values_list("pk", flat=True)))
        elif among is not None:
            among = self._matching(among) if campaign_asks(self.campaign) else among
        return self._fetch(statements.AGAIN, among=among, count=count)

    def _in_order(self, count: int) -> list[Upcoming]:
        if count <= 0:
            return []
        if not campaign_asks(self.campaign):
            return self._rows(statements.NEXT, count=count)
        found: list[Upcoming] = []
        for place in itertools.count():
            window = self._window(place)
            found += self._rows(statements.NEXT, count=count - len(found), among=window)
            if len(found) == count or len(window) < WINDOW:
                break
        return found

    def wanted(self, want: Sequence[int]) -> list[Upcoming]:
        """Those of some sites that are free, in their order; a lead may want what is settled or contested too."""
        if not want:
            return []
        if self.user.has_perm(LEADS):
            rows = self._rows(statements.LEADS, wish=want)
        else:
            rows = self._rows(statements.WANTED, wish=want, among=self._matching(want))
        there = {one.site for one in rows}
        if others := [pk for pk in want if pk not in there]:
            rows += [Upcoming(site, version) for site, version, _ in self._again(len(others), want=others)]
        return sorted(rows, key=lambda one: list(want).index(one.site))

    def own(self) -> list[Upcoming]:
        """Open sites of which the reviewer has a claim, even one that has run out as long as nobody took it."""
        return self._rows(statements.OWN)

    def _rows(self, statement: str, *, among: Collection[int] | None = None, **more: Any) -> list[Upcoming]:
        return [Upcoming(*row) for row in self._fetch(statement, among=among, **more)]

    def _fetch(self, statement: str, *, among: Collection[int] | None = None, **more: Any) -> list[Any]:
        if among is not None and not among:
            return []
        return statements.ask(
            statement,
            wanted=self.opinions_wanted(),
            values={"user": self.user.pk, "campaign": self.campaign.pk, "now": timezone.now()},
            exclude=self.exclude,
            among=among,
            more=self._lock,
            **more,
        )

    def opinions_wanted(self) -> str:
        """``Campaign.opinions_wanted`` in SQL."""
        least, asked = "s.least_opinions", str(self.campaign.reviews_needed)
        if self.campaign.reviews_needed == 1 and self.campaign.blind_share:
            place = share_place_sql("s.id", campaign=self.campaign.pk).replace("%", "%%")
            asked = f"CASE WHEN {place} < {self.campaign.blind_share * SHARE_STEPS} THEN 2 ELSE 1 END"
        return f"(CASE WHEN {least} > ({asked}) THEN {least} ELSE ({asked}) END)"

    def _window(self, place: int) -> list[int]:
        """Open sites that meet the conditions of the campaign, in order, a window at a time."""

        def look() -> list[int]:
            sites = Site.objects.filter(state=Site.State.OPEN).matching(self._conditions).order_by("-priority", "id")
            return list(sites.values_list("pk", flat=True)[place * WINDOW : (place + 1) * WINDOW])

        return kept(f"window-{place}", self.campaign, look)

    def _matching(self, sites: Sequence[int]) -> list[int] | None:
        if not campaign_asks(self.campaign):
            return None
        return list(Site.objects.filter(pk__in=sites).matching(self._conditions).values_list("pk", flat=True))

    def _skipped_among(self) -> list[int] | None:
        if not campaign_asks(self.campaign):
            return None
        skipped = self.user.decisions.filter(verdict="skip").order_by()
        sites = Site.objects.filter(pk__in=skipped.values("site"), state=Site.State.OPEN)
        return list(sites.matching(self._conditions).values_list("pk", flat=True))


def campaign_asks(campaign: Campaign) -> bool:
    """Whether a campaign has conditions at all."""
    return bool(campaign.filter)
