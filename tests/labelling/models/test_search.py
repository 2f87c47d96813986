"""Finding sites by part of a name among a million."""

from importlib import import_module
from typing import Any

import pytest
from django.contrib.postgres.operations import TrigramExtension
from django.db import connection
from django.db.utils import ProgrammingError

from labelling.models import Site

migration: Any = import_module("labelling.migrations.0002_search")


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="the database of this run is not PostGIS")
def test_part_of_a_name_is_found_by_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "site_name_parts" in Site.objects.filter(name__icontains="tanda").order_by().explain()
    assert "site_name_parts" in Site.objects.filter(name__istartswith="mu").order_by().explain()


@pytest.mark.django_db
def test_who_may_not_add_the_extension_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise ProgrammingError('permission denied to create extension "pg_trgm"')

    monkeypatch.setattr(TrigramExtension, "database_forwards", refuse)
    with pytest.raises(ProgrammingError) as told:
        migration.TrigramsOrAdvice().database_forwards("labelling", connection.schema_editor(), None, None)
    assert "CREATE EXTENSION pg_trgm" in str(told.value)
    assert str(connection.settings_dict["NAME"]) in str(told.value)
