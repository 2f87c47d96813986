"""Who may what: the four roles as Django groups."""

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

_REVIEW = (
    "labelling.add_comment",
    "labelling.add_decision",
    "labelling.add_reviewedarea",
    "labelling.view_site",
    "labelling.view_scene",
    "labelling.view_campaign",
)
_LEAD = (
    *_REVIEW,
    "labelling.change_campaign",
    "labelling.add_campaign",
    "labelling.delete_claim",
    "labelling.change_label",
    "labelling.change_reviewedarea",
    "labelling.change_minetype",
)
ROLES: dict[str, tuple[str, ...]] = {
    "analyst": ("labelling.view_site", "labelling.view_scene", "labelling.view_snapshot"),
    "reviewer": (*_REVIEW, "labelling.view_snapshot"),
    "lead": (
        *_LEAD,
        "labelling.view_snapshot",
        "inference.view_modelversion",
        "training.view_experiment",
        "training.view_testset",
        "training.view_typestudy",
    ),
    # An admin of the work, not of the server: everything in the three rooms, nothing of users or permissions.
    "admin": ("labelling.*", "inference.*", "training.*"),
}


def _permissions(names: tuple[str, ...]) -> Q:
    wanted = Q(pk=None)
    for name in names:
        room, _, codename = name.partition(".")
        wanted |= (
            Q(content_type__app_label=room) if codename == "*" else Q(content_type__app_label=room, codename=codename)
        )
    return wanted


@transaction.atomic
def sync_roles() -> None:
    """Make the groups and give each its permissions, no more and no fewer."""
    for role, names in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(Permission.objects.filter(_permissions(names)))
