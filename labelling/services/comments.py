"""Threads on sites, and who is asked for in them."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from labelling.core.comments import names_mentioned
from labelling.core.errors import BadInput, KeyReused
from labelling.models import Comment, Decision, Site

MAX_COMMENT = 2000
MAX_THREAD = 200


def add_comment(*, user: User, site: Site, key: UUID, text: str) -> Comment:
    """Say something about a site; whom it mentions as ``@name`` finds it on the front page.

    Args:
        user: who says it.
        site: the site.
        key: made with the form; sent twice it counts once.
        text: plain text, 1 to 2000 characters.

    Raises:
        BadInput: nothing but space, or too long.
        KeyReused: the key has been used for another comment.
    """
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise BadInput("write something first")
    if len(text) > MAX_COMMENT:
        raise BadInput(f"the comment is longer than {MAX_COMMENT} characters")
    try:
        with transaction.atomic():
            comment = Comment.objects.create(key=key, site=site, author=user, text=text)
            comment.mentions.set(User.objects.filter(username__in=names_mentioned(text), is_active=True))
    except IntegrityError:
        stored = Comment.objects.filter(key=key).first()
        if stored is None:
            raise
        if (stored.author_id, stored.site_id, stored.text) != (user.pk, site.pk, text):
            raise KeyReused("this key has been used for another comment: make a new key for each") from None
        return stored
    return comment


def comments_on(*, sites: Collection[int]) -> dict[int, list[Comment]]:
    """Find what was said of sites, by site, oldest first; in one query for all of them."""
    said: dict[int, list[Comment]] = defaultdict(list)
    for comment in Comment.objects.filter(site__in=sites).select_related("author").order_by("id") if sites else ():
        said[comment.site_id].append(comment)
    return said


def mentions_waiting(*, user: User, limit: int) -> list[Comment]:
    """The newest comments that ask for a person who has neither answered nor decided on the site since."""
    answered = Comment.objects.filter(site=OuterRef("site"), author=user, pk__gt=OuterRef("pk")).order_by()
    decided = Decision.objects.filter(
        site=OuterRef("site"), reviewer=user, created_at__gt=OuterRef("created_at")
    ).order_by()
    asked = Comment.objects.filter(mentions=user).exclude(author=user)
    asked = asked.exclude(Exists(answered)).exclude(Exists(decided))
    return list(asked.select_related("author", "site").order_by("-id")[:limit])
