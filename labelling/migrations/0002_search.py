"""Finding sites by part of a name among a million, on PostgreSQL: an index on trigrams.

``pg_trgm`` comes with PostgreSQL and is trusted: whoever may create things in the database may add it. Where that is
not allowed, an administrator adds it once and this migration finds it there.
"""

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState
from django.db.utils import NotSupportedError, OperationalError, ProgrammingError


class TrigramsOrAdvice(TrigramExtension):
    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        except (NotSupportedError, OperationalError, ProgrammingError) as error:
            name = schema_editor.connection.settings_dict["NAME"]
            msg = (
                f"the search for names needs PostgreSQL's extension pg_trgm, and this user cannot add it ({error}). "
                f"Let an administrator run once, in the database {name}: CREATE EXTENSION pg_trgm; then migrate again. "
                "Where it is unknown, install the package postgresql-contrib first."
            )
            raise type(error)(msg) from error


class OnPostgres(migrations.RunSQL):
    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    dependencies = [("labelling", "0001_initial")]

    operations = [
        TrigramsOrAdvice(),
        # As Django writes `icontains`. GIN without a list of pending entries: a search never pays for an import.
        OnPostgres(
            "CREATE INDEX site_name_parts ON labelling_site USING gin (UPPER(name::text) gin_trgm_ops)"
            " WITH (fastupdate = off)",
            "DROP INDEX site_name_parts",
        ),
    ]
