"""A queue for reviewers, and the short leases on its sites."""

import uuid
from typing import TYPE_CHECKING, Literal

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.gis.db import models
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Exists, OuterRef, Q

from labelling.core.campaigns import CampaignFilter
from labelling.core.errors import BadInput
from labelling.core.review import SHARE_STEPS, share_place
from labelling.models.rows import columns_of
from labelling.models.site import Site
from labelling.models.taxonomy import Axis

if TYPE_CHECKING:
    from typing import Self


# Asked at every key press: Django takes longer to compose a statement than the database to answer it.
_NAMED = "FROM labelling_campaign_reviewers named WHERE named.campaign_id = campaign.id"
_FIND = f"""SELECT {{columns}}, (NOT EXISTS (SELECT 1 {_NAMED})
        OR EXISTS (SELECT 1 {_NAMED} AND named.user_id = %(user)s)) AS names_user
    FROM labelling_campaign campaign WHERE campaign.{{column}} = %(value)s"""  # noqa: S608  # our own text


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def find(self, user: User, *, column: Literal["id", "slug"], value: int | str) -> "Campaign | None":
        """The campaign with this id or slug, open or closed, where ``of`` would give it to the user."""
        text = _FIND.format(columns=columns_of(Campaign, "campaign", connection.vendor), column=column)
        found = next(iter(self.raw(text, {"user": user.pk, "value": value})), None)
        if found is None or user.has_perm("labelling.change_campaign"):
            return found
        return found if vars(found)["names_user"] and "suspect" not in found.filter else None

    def of(self, user: User) -> "Self":
        """Campaigns that a user may review in: those open to all, those that name the user; a lead sees every one.

        Suspect labels are for leads alone: nobody else may change what is settled.
        """
        if user.has_perm("labelling.change_campaign"):
            return self.all()
        named = Campaign.reviewers.through.objects.filter(campaign_id=OuterRef("pk"))
        mine = self.filter(Q(~Exists(named)) | Q(Exists(named.filter(user_id=user.pk))))
        return mine.exclude(filter__has_key="suspect")


class Campaign(models.Model):
    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    axis = models.CharField(max_length=12, choices=Axis.choices, default=Axis.FEATURE)
    # A closed set of keys: labelling.core.campaigns.
    filter = models.JSONField(default=dict, blank=True)
    reviews_needed = models.PositiveSmallIntegerField(default=1)
    blind_share = models.FloatField(
        default=0.0, help_text="share of the sites that get a second, blind opinion even where one is enough, 0 to 1"
    )
    gold_share = models.FloatField(
        default=0.0, help_text="share of what a reviewer gets that is a gold site, hidden among the others, 0 to 0.5"
    )
    reviewers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="campaigns", help_text="empty: every reviewer"
    )
    guideline = models.TextField(blank=True, default="")
    lease_s = models.PositiveIntegerField(default=600, help_text="a claim is free again after so many seconds")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(reviews_needed__gte=1), name="campaign_needs_a_review"),
            models.CheckConstraint(
                condition=models.Q(blind_share__gte=0, blind_share__lte=1), name="campaign_blind_share_is_a_share"
            ),
            models.CheckConstraint(
                condition=models.Q(gold_share__gte=0, gold_share__lte=0.5), name="campaign_gold_share_is_up_to_a_half"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        try:
            self.conditions()
        except BadInput as error:
            raise ValidationError({"filter": str(error)}) from error

    def opinions_wanted(self, site_id: int, *, least: int = 1) -> int:
        """How many opinions settle a site here, where its ground asks for ``least``."""
        in_share = share_place(site_id, campaign=self.pk) < self.blind_share * SHARE_STEPS
        return max(2 if in_share else 1, self.reviews_needed, least)

    def conditions(self) -> CampaignFilter:
        """The filter, checked."""
        return CampaignFilter.from_json(self.filter)


class Claim(models.Model):
    """A lease of one reviewer on one site; ``expires_at`` is judged when it is read, so nothing must run to free it."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="claims")
    slot = models.PositiveSmallIntegerField(default=0, help_text="0, and more where several blind reviews are wanted")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="claims")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="claims")
    again = models.BooleanField(
        default=False, help_text="on a settled site: a gold site, or one that needs a further opinion"
    )
    token = models.UUIDField(default=uuid.uuid4, unique=True)
    expires_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "slot"], name="claim_one_holder_per_slot"),
            models.UniqueConstraint(fields=["site", "reviewer"], name="claim_once_per_reviewer"),
        ]

    def __str__(self) -> str:
        return f"claim of {self.reviewer_id} on site {self.site_id}"
