"""What the imagery itself says of a site: its spectrum against the ground around it."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from django.contrib.auth.models import User
from shapely.geometry.base import BaseGeometry

from labelling.core.errors import BadGeometry, BadRaster, NotFound
from labelling.core.geometry import search_boxes
from labelling.core.raster import check_source
from labelling.core.spectra import RING_M, BandLevel, BandPair, measure_spectrum
from labelling.models import Scene, Site
from labelling.models.spatial import in_box, to_shapely
from labelling.services.blind import see_site
from labelling.services.mosaics import SceneMosaic, find_mosaic
from labelling.services.scenes import scene_roots

METHOD = 1
"""To be raised whenever the same site and scene are measured differently than before."""
MAX_NEIGHBOURS = 200
_PLACES = 4


@dataclass(frozen=True)
class Evidence:
    """A site in a scene or mosaic, and everything that its spectrum depends on.

    Attributes:
        site: as it stands now.
        mosaic: scenes that touch the site.
        others: outlines of the sites nearby that are not rejected, EPSG:4326: the ring leaves them out.
    """

    site: Site
    mosaic: SceneMosaic
    others: tuple[BaseGeometry, ...]

    @property
    def etag(self) -> str:
        """A name, in quotes, that changes whenever the spectrum would."""
        said = f"{METHOD} {self.site.pk} {self.site.version} {self.mosaic.key} {self.mosaic.version}"
        digest = hashlib.sha256(said.encode())
        for shape in (to_shapely(self.site.footprint), *self.others):
            digest.update(shapely.to_wkb(shape))
        return f'"{digest.hexdigest()[:24]}"'


def find_evidence(*, user: User, site_id: int, scenes: str) -> Evidence:
    """Find a site in a scene or mosaic.

    Args:
        user: who looks; where opinions are to be independent, they are shown the outline that sources propose.
        site_id: the site.
        scenes: number of a scene, or those of a mosaic, such as ``12-7``.

    Raises:
        NotFound: no such site, no such scene, or one of the scenes does not touch the site; all alike.
    """
    site = Site.objects.filter(pk=site_id).first()
    if site is not None and site.version:
        site = see_site(user=user, site=site, campaign=None)
    mosaic = _mosaic_of(site, scenes) if site else None
    if site is None or mosaic is None:
        msg = "no such site, or no such scene of it"
        raise NotFound(msg)
    return Evidence(site, mosaic, _near(site))


def _mosaic_of(site: Site, scenes: str) -> SceneMosaic | None:
    try:
        mosaic = find_mosaic(key=scenes)
    except NotFound:
        return None
    touching = Scene.objects.covering(site.footprint).filter(pk__in=[scene.pk for scene in mosaic.scenes])
    return mosaic if touching.count() == len(mosaic.scenes) else None


def measure_evidence(*, evidence: Evidence) -> dict[str, Any]:
    """Measure the spectrum of a site in a scene or mosaic, ready for JSON.

    Args:
        evidence: from ``find_evidence``.

    Returns:
        Per band the reflectance inside and in the ring (mean and median, shares of 1), and from how many pixels.

    Raises:
        NotFound: the file of the scene cannot be read now, or the site is too large to be measured.
    """
    mosaic = evidence.mosaic
    ref, *fill = (scene.ref() for scene in mosaic.scenes)
    try:
        for scene in mosaic.scenes:
            for file in scene.files or [scene.uri]:
                check_source(file, roots=scene_roots())
        spectrum = measure_spectrum(ref, to_shapely(evidence.site.footprint), others=evidence.others, fill=fill)
    except (BadRaster, BadGeometry) as error:
        raise NotFound(str(error)) from error
    return {
        "site": evidence.site.pk,
        "version": evidence.site.version,
        "scene": mosaic.front.pk,
        "scenes": [scene.pk for scene in mosaic.scenes],
        "scene_version": mosaic.version,
        "ring_m": list(RING_M),
        "pixel_m": round(spectrum.pixel_m, 2),
        "inside_px": spectrum.inside_px,
        "ring_px": spectrum.ring_px,
        "bands": [_band(pair) for pair in spectrum.bands],
    }


def _near(site: Site) -> tuple[BaseGeometry, ...]:
    [box] = search_boxes(np.asarray([site.footprint.extent]), RING_M[1]).tolist()
    near = Site.objects.filter(in_box(Site, "footprint", tuple(box))).exclude(pk=site.pk)
    near = near.exclude(state=Site.State.REJECTED).order_by("pk").only("footprint")
    return tuple(to_shapely(other.footprint) for other in near[:MAX_NEIGHBOURS])


def _band(pair: BandPair) -> dict[str, Any]:
    contrast = pair.contrast
    return {
        "band": pair.band,
        "wavelength_nm": pair.wavelength_nm,
        "inside": _level(pair.inside),
        "ring": _level(pair.ring),
        "contrast": None if contrast is None else round(contrast, _PLACES),
    }


def _level(level: BandLevel | None) -> dict[str, float] | None:
    return {"mean": round(level.mean, _PLACES), "median": round(level.median, _PLACES)} if level else None
