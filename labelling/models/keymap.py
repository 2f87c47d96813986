"""A person's own keys on the review screen."""

from django.conf import settings
from django.contrib.gis.db import models
from django.core.exceptions import ValidationError

from labelling.core.errors import BadInput
from labelling.core.keymaps import read_keymap


class Keymap(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="keymap")
    keys = models.JSONField(default=dict, blank=True, help_text="action -> place on the keyboard; {}: the usual ones")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"keys of {self.user_id}"

    def clean(self) -> None:
        try:
            read_keymap(self.keys)
        except BadInput as error:
            raise ValidationError({"keys": str(error)}) from error
