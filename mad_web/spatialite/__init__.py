"""Django's SpatiaLite backend without the ISO metadata tables (docs/decisions/0003-spatialite.md)."""
