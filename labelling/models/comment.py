"""What people say to each other about a site."""

from django.conf import settings
from django.contrib.gis.db import models

from labelling.models.append_only import AppendOnly, AppendOnlyQuerySet
from labelling.models.site import Site


class Comment(AppendOnly):
    """One line of the thread on a site. It decides nothing."""

    key = models.UUIDField(unique=True, help_text="made with the form; sent twice it counts once")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="comments")
    text = models.CharField(max_length=2000)
    mentions = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="mentioned_in")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"comment of {self.author_id} on site {self.site_id}"
