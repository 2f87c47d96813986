"""The database backend that ``spatialite:///`` stands for."""

from django.contrib.gis.db.backends.spatialite import base
from django.db.backends.sqlite3.base import DatabaseWrapper as SQLiteWrapper

from mad_web.spatialite.schema import SchemaEditor


class DatabaseWrapper(base.DatabaseWrapper):
    """SpatiaLite with the plain metadata.

    Django asks for the full set, whose ISO metadata triggers newer SQLite versions refuse at the first
    ALTER TABLE ("no such column: rowid"). Nothing here reads those tables.
    """

    SchemaEditorClass = SchemaEditor

    def prepare_database(self) -> None:
        SQLiteWrapper.prepare_database(self)
        with self.cursor() as cursor:
            cursor.execute("PRAGMA table_info(geometry_columns);")
            if not cursor.fetchall():
                cursor.execute("SELECT InitSpatialMetaData(1)")
