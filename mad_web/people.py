"""The first people of an installation."""

import secrets

from django.contrib.auth.models import Group, User
from django.db import transaction

FIRST_PEOPLE = {"admin": "admin", "lead": "lead", "reviewer": "reviewer", "reviewer2": "reviewer", "analyst": "analyst"}


@transaction.atomic
def invite_first_people() -> dict[str, str]:
    """Make one user for each role where there are no users at all.

    Returns:
        Password by user name, to be shown once; empty where there were users already.
    """
    if User.objects.exists():
        return {}
    passwords = {name: secrets.token_urlsafe(9) for name in FIRST_PEOPLE}
    for name, role in FIRST_PEOPLE.items():
        user = User.objects.create_user(name, password=passwords[name], is_staff=role == "admin")
        user.is_superuser = role == "admin"
        user.save()
        user.groups.add(Group.objects.get(name=role))
    return passwords
