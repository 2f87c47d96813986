"""Schema changes that keep the spatial indexes."""

from typing import Any

from django.contrib.gis.db.backends.spatialite import schema


class SchemaEditor(schema.SpatialiteSchemaEditor):
    def alter_db_table(self, model: Any, old_db_table: str, new_db_table: str) -> None:
        """Rename a table, and index its geometries again.

        SQLite alters most things by building the table anew under another name. Django then renames the old
        index, but the new table's rows never reach it: it stays empty and a search through it finds nothing.
        """
        super().alter_db_table(model, old_db_table, new_db_table)
        for field in model._meta.local_fields:
            if getattr(field, "spatial_index", False):
                names = {"table": self.geo_quote_name(new_db_table), "column": self.geo_quote_name(field.column)}
                self.execute(f"DROP TABLE {self.quote_name(f'idx_{new_db_table}_{field.column}')}")
                self.execute(self.sql_add_spatial_index % names)
