"""GDAL as this program wants it: few drivers, no network, no surprises.

Imported before rasterio, pyogrio or GeoDjango anywhere in the program. An upload that is really a
VRT, an MRF or an OGR VRT can otherwise read or write files of its author's choosing.
"""

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

SKIPPED_RASTER_DRIVERS = (
    "VRT MRF GTI DERIVED WMS WMTS WCS STACIT STACTA PLMosaic EEDA EEDAI HTTP DAAS OGCAPI Zarr netCDF HDF5 "
    "HDF5Image PostGISRaster GeoRaster Rasterlite RasterLite NGW TileDB KEA ENVI PDS PDS4 ISIS3 VICAR"
)
# OGR_SKIP is separated by commas; with spaces nothing at all is skipped.
SKIPPED_VECTOR_DRIVERS = (
    "OGR_VRT,VRT,OAPIF,WFS,GMLAS,GML,PostgreSQL,MySQL,MSSQLSpatial,ODBC,PGDump,CARTO,AmigoCloud,Elastic,"
    "NGW,PLScenes,CSW,HTTP,GTFS,KML,LIBKML,SVG,GPX,GeoRSS,OSM,DGN,DXF,S57,MongoDBv3,HANA,Memory"
)

_SAFE = {
    "GDAL_SKIP": SKIPPED_RASTER_DRIVERS,
    "OGR_SKIP": SKIPPED_VECTOR_DRIVERS,
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_HTTP_PROXY": "127.0.0.1:9",
    "GDAL_CACHEMAX": "128",
    "GDAL_PAM_ENABLED": "NO",
    # Faults reach us as exceptions; what is left are complaints about drivers that this build never had.
    "CPL_LOG": os.devnull,
}


def harden() -> None:
    """Set the environment that GDAL reads when it registers its drivers."""
    os.environ.update(_SAFE)


def wheel_library(package: str, pattern: str) -> str | None:
    """Find a shared library that a wheel carries, for GeoDjango to load.

    Args:
        package: import name of the wheel's package, such as ``rasterio``.
        pattern: glob of the file name, such as ``libgdal-*.so*``.

    Returns:
        The absolute path, or None where the package is absent or was built against the system's library.
    """
    if find_spec(package) is None:
        return None
    # Importing the package loads what its library needs; alone, the loader would not find it.
    home = Path(str(import_module(package).__file__)).parent
    folders = (home.parent / f"{package}.libs", home / ".dylibs")
    return next((str(path) for folder in folders for path in sorted(folder.glob(pattern))), None)


harden()
