"""A person's own keys: read and kept."""

from collections.abc import Mapping

from django.contrib.auth.models import User

from labelling.core.keymaps import read_keymap
from labelling.models import Keymap


def keymap_of(*, user: User) -> dict[str, str]:
    """The keys that a person has changed, action -> place on the keyboard; empty where all are as usual."""
    kept = Keymap.objects.filter(user=user).values_list("keys", flat=True).first()
    return dict(kept) if kept else {}


def save_keymap(*, user: User, keys: Mapping[str, str]) -> dict[str, str]:
    """Keep a person's own keys in place of those before.

    Args:
        user: whose they are.
        keys: action -> place on the keyboard (``KeyboardEvent.code``); empty for the usual ones.

    Raises:
        BadInput: an unknown action, a place that cannot be used, or one that is used twice.
    """
    checked = read_keymap(keys)
    Keymap.objects.update_or_create(user=user, defaults={"keys": checked})
    return checked
