from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from labelling.core.errors import BadRaster
from labelling.core.globe import outline_to_lonlat, to_crs
from labelling.core.raster import SceneRef, transformer
from labelling.core.spectra import WAVELENGTHS_NM, BandPair, measure_spectrum
from labelling.core.synthetic import BANDS
from tests.scenes import make_scene, ref_of

# (place of the site in a scene of 64 x 64 pixels of 10 m: columns and rows 24 to 40)
SITE = (24, 24, 40, 40)
NAMES = ("B02", "B04", "B11")
INSIDE = (1000, 2000, 3000)
AROUND = (500, 1000, 4000)


def ground(*, side: int = 64, names: int = 3) -> NDArray[np.uint16]:
    """One level inside the site, another around it."""
    data = np.empty((names, side, side), np.uint16)
    west, north, east, south = SITE
    for band in range(names):
        data[band] = AROUND[band]
        data[band, north:south, west:east] = INSIDE[band]
    return data


def square(ref: SceneRef, place: tuple[float, float, float, float] = SITE) -> shapely.Polygon:
    """The ground of columns and rows, EPSG:4326."""
    west, north, east, south = place
    corners = [ref.affine @ corner for corner in ((west, north), (east, north), (east, south), (west, south))]
    to_degrees = transformer(ref.crs, "EPSG:4326")
    return shapely.Polygon([to_degrees.transform(*corner) for corner in corners])


def medians(bands: tuple[BandPair, ...], side: str) -> dict[str, float]:
    return {pair.band: round(getattr(pair, side).median, 4) for pair in bands}


def test_inside_and_ring_are_told_apart(tmp_path: Path) -> None:
    ref = ref_of(make_scene(tmp_path / "a.tif", data=ground(), bands=NAMES))
    found = measure_spectrum(ref, square(ref))
    assert [pair.band for pair in found.bands] == list(NAMES)
    assert [pair.wavelength_nm for pair in found.bands] == [490, 665, 1610]
    assert medians(found.bands, "inside") == {"B02": 0.1, "B04": 0.2, "B11": 0.3}
    assert medians(found.bands, "ring") == {"B02": 0.05, "B04": 0.1, "B11": 0.4}
    assert float(found.pixel_m) == 10
    assert found.inside_px == 16 * 16
    ring_m2 = 4 * 160 * 120 + np.pi * (150**2 - 30**2)
    assert found.ring_px * 100 == pytest.approx(ring_m2, rel=0.02)
    assert [round(pair.contrast or 0, 4) for pair in found.bands] == [0.3333, 0.3333, -0.1429]


def test_a_mean_follows_the_bright_and_a_median_does_not(tmp_path: Path) -> None:
    data = ground()
    data[:, 24:28, 24:40] = 9000  # a quarter of the site: a cloud
    ref = ref_of(make_scene(tmp_path / "a.tif", data=data, bands=NAMES))
    blue = measure_spectrum(ref, square(ref)).bands[0]
    assert blue.inside is not None
    assert blue.inside.mean == pytest.approx(0.1 + 0.8 / 4, rel=0.1)
    assert blue.inside.median == pytest.approx(0.1)


def test_scale_and_offset_of_each_band_count(tmp_path: Path) -> None:
    ref = ref_of(
        make_scene(tmp_path / "a.tif", data=ground(), bands=NAMES), offsets=(0, -0.1, 0), scales=(1e-4, 2e-4, 1e-4)
    )
    found = measure_spectrum(ref, square(ref))
    assert medians(found.bands, "inside") == {"B02": 0.1, "B04": 0.3, "B11": 0.3}


def test_bands_come_by_wavelength_and_the_unknown_last(tmp_path: Path) -> None:
    names = ("DEM", "B12", "B8A", "B02", "slope")
    data = np.full((5, 64, 64), 700, np.uint16)
    ref = ref_of(make_scene(tmp_path / "a.tif", data=data, bands=names))
    found = measure_spectrum(ref, square(ref))
    assert [pair.band for pair in found.bands] == ["B02", "B8A", "B12", "DEM", "slope"]
    assert [pair.wavelength_nm for pair in found.bands[3:]] == [None, None]


def test_every_band_of_sentinel_2_has_its_wavelength() -> None:
    assert set(BANDS) <= set(WAVELENGTHS_NM)
    assert list(WAVELENGTHS_NM.values()) == sorted(WAVELENGTHS_NM.values())


def test_the_ring_leaves_other_sites_out(tmp_path: Path) -> None:
    data = ground()
    data[:, :, 43:] = 9000  # all that lies east of the edge belongs to another site
    ref = ref_of(make_scene(tmp_path / "a.tif", data=data, bands=NAMES))
    other = square(ref, (42, 0, 64, 64))
    alone, beside = measure_spectrum(ref, square(ref)), measure_spectrum(ref, square(ref), others=[other])
    means = [found.bands[0].ring.mean if found.bands[0].ring else None for found in (alone, beside)]
    assert means[0] is not None and means[0] > 0.2
    assert means[1] == pytest.approx(0.05)
    assert beside.ring_px < alone.ring_px


def test_a_site_amid_others_has_no_ring(tmp_path: Path) -> None:
    ref = ref_of(make_scene(tmp_path / "a.tif", data=ground(), bands=NAMES))
    found = measure_spectrum(ref, square(ref), others=[square(ref, (0, 0, 64, 64))])
    assert found.ring_px == 0
    assert [pair.ring for pair in found.bands] == [None] * 3
    assert [pair.contrast for pair in found.bands] == [None] * 3
    assert medians(found.bands, "inside") == {"B02": 0.1, "B04": 0.2, "B11": 0.3}


def test_a_point_gets_a_disc(tmp_path: Path) -> None:
    ref = ref_of(make_scene(tmp_path / "a.tif", data=ground(), bands=NAMES))
    found = measure_spectrum(ref, square(ref).centroid)
    assert found.inside_px * 100 == pytest.approx(np.pi * 30**2, rel=0.15)
    assert medians(found.bands, "inside") == {"B02": 0.1, "B04": 0.2, "B11": 0.3}


def test_a_site_smaller_than_a_pixel_has_the_pixel_it_touches(tmp_path: Path) -> None:
    ref = ref_of(make_scene(tmp_path / "a.tif", data=ground(), bands=NAMES))
    found = measure_spectrum(ref, square(ref, (30.1, 30.1, 30.3, 30.3)))
    assert found.inside_px == 1
    assert medians(found.bands, "inside") == {"B02": 0.1, "B04": 0.2, "B11": 0.3}


def test_where_there_is_no_data_nothing_is_made_up(tmp_path: Path) -> None:
    data = ground()
    data[:, :, :32] = 0
    ref = ref_of(make_scene(tmp_path / "a.tif", data=data, bands=NAMES, nodata=0))
    half = measure_spectrum(ref, square(ref))
    assert half.inside_px == pytest.approx(128, abs=16)  # the western half is missing
    assert medians(half.bands, "inside") == {"B02": 0.1, "B04": 0.2, "B11": 0.3}
    nothing = measure_spectrum(ref, square(ref, (2, 10, 8, 16)))
    assert (nothing.inside_px, nothing.bands[0].inside) == (0, None)


def test_a_large_site_is_read_coarser(tmp_path: Path) -> None:
    ref = ref_of(make_scene(tmp_path / "a.tif", data=ground(), bands=NAMES))
    found = measure_spectrum(ref, square(ref), max_side=24)
    assert float(found.pixel_m) == 21  # 460 m of ground on 23 pixels, whole metres
    assert found.inside_px == pytest.approx(64, abs=16)
    assert medians(found.bands, "inside") == {"B02": 0.1, "B04": 0.2, "B11": 0.3}


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857"])
def test_any_crs_of_a_scene_will_do(tmp_path: Path, crs: str) -> None:
    ref = ref_of(make_scene(tmp_path / "a.tif", data=ground(), bands=NAMES, crs=crs))
    found = measure_spectrum(ref, square(ref))
    assert medians(found.bands, "inside") == {"B02": 0.1, "B04": 0.2, "B11": 0.3}
    assert medians(found.bands, "ring") == {"B02": 0.05, "B04": 0.1, "B11": 0.4}


def test_a_site_on_both_sides_of_the_antimeridian(tmp_path: Path) -> None:
    ref = ref_of(make_scene(tmp_path / "a.tif", data=ground(), bands=NAMES, lon=179.997, lat=-17.0))
    west, north, east, south = SITE
    (left, top), (right, bottom) = ref.affine @ (west, north), ref.affine @ (east, south)
    site = outline_to_lonlat(shapely.box(left, bottom, right, top), ref.crs)
    assert site.geom_type == "MultiPolygon"
    found = measure_spectrum(ref, site)
    assert found.inside_px == pytest.approx(256, abs=32)
    assert medians(found.bands, "inside") == {"B02": 0.1, "B04": 0.2, "B11": 0.3}
    assert to_crs(site, ref.crs).area == pytest.approx(160**2, rel=0.01)


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "a.tif", data=ground(), bands=NAMES)
    ref = ref_of(path)
    path.unlink()
    with pytest.raises(BadRaster, match=r"a\.tif"):
        measure_spectrum(ref, square(ref))
