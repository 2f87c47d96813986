"""Rows that are written once and never changed: proposals and decisions."""

from typing import Any, NoReturn, TypeVar

from django.contrib.gis.db import models

Row = TypeVar("Row", bound=models.Model)


class AppendOnlyQuerySet(models.QuerySet[Row]):
    """Reads and inserts; an update or a delete is a fault of the program."""

    def update(self, **kwargs: Any) -> NoReturn:
        msg = f"{self.model.__name__} is append-only: add a new row instead"
        raise TypeError(msg)

    def delete(self) -> NoReturn:
        msg = f"{self.model.__name__} is append-only: nothing is deleted"
        raise TypeError(msg)


class AppendOnly(models.Model):
    """Base of an append-only row."""

    class Meta:
        abstract = True

    def save(self, **kwargs: Any) -> None:
        if not self._state.adding:
            msg = f"{type(self).__name__} is append-only: add a new row instead"
            raise TypeError(msg)
        super().save(**kwargs)

    def delete(self, using: str | None = None, keep_parents: bool = False) -> NoReturn:
        msg = f"{type(self).__name__} is append-only: nothing is deleted"
        raise TypeError(msg)
