"""Forms that stand in the URL of a list."""

from typing import Self

from django import forms
from django.core.exceptions import BadRequest
from django.http import QueryDict


class Filter(forms.Form):
    @classmethod
    def of(cls, query: QueryDict) -> Self:
        """The form of what stands in a URL."""
        return cls(query, label_suffix="")

    @classmethod
    def checked(cls, query: QueryDict) -> Self:
        """The form where no person can be asked again.

        Raises:
            BadRequest: the filter cannot be understood.
        """
        form = cls.of(query)
        if not form.is_valid():
            msg = "this filter cannot be understood"
            raise BadRequest(msg)
        return form

    @property
    def is_filtered(self) -> bool:
        return any(self.data.get(name) for name in self.fields)
