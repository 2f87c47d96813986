"""What comes in, field by field; unknown fields are refused, so that a misspelt one is never ignored."""

from typing import Any

from django.contrib.gis.geos import GEOSGeometry
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from labelling.core.errors import BadGeometry
from labelling.core.outlines import read_outline
from labelling.models import Decision
from labelling.models.spatial import to_geos
from labelling.models.taxonomy import Axis
from labelling.services.decisions.submission import MAX_COMMENT
from labelling.services.mosaics import KEY

MAX_ID = 2**63 - 1
MAX_VERSION = 2**31 - 1
MAX_IDS = 200
MAX_COUNT = 10
MAX_AHEAD = 20


class Strict(serializers.Serializer[Any]):
    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            name = str(unknown[0])[:60].encode("ascii", "backslashreplace").decode()
            raise serializers.ValidationError({name: ["unknown field"]})
        return super().to_internal_value(data)


class RowId(serializers.IntegerField):
    def __init__(self, **more: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **more)


@extend_schema_field(OpenApiTypes.OBJECT)
class OutlineField(serializers.Field[GEOSGeometry, dict[str, Any], GEOSGeometry, GEOSGeometry]):
    """A GeoJSON point, polygon or multipolygon, longitude and latitude in degrees, at most 10 000 vertices."""

    def to_internal_value(self, data: dict[str, Any]) -> GEOSGeometry:
        try:
            return to_geos(read_outline(data))
        except BadGeometry as error:
            raise serializers.ValidationError(str(error)) from error

    def to_representation(self, value: GEOSGeometry) -> GEOSGeometry:
        return value


class Code(serializers.CharField):
    def __init__(self, **more: Any) -> None:
        super().__init__(max_length=60, required=False, allow_null=True, **more)


class TypesIn(Strict):
    feature = Code()
    commodity = Code()
    method = Code()


@extend_schema_field({"type": "array", "items": {"type": "integer"}, "maxItems": MAX_IDS})
class RowIds(serializers.Field[list[int], list[int], list[int], list[int]]):
    """At most 200 ids, looked at in one go: two hundred fields would take longer than the answer."""

    def to_internal_value(self, data: list[int]) -> list[int]:
        good = isinstance(data, list) and all(type(one) is int and 1 <= one <= MAX_ID for one in data)
        if not good or len(data) > MAX_IDS:
            raise serializers.ValidationError(f"send a list of at most {MAX_IDS} ids")
        return data

    def to_representation(self, value: list[int]) -> list[int]:
        return value


@extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
class Versions(serializers.Field[dict[str, int], dict[str, int], dict[str, int], dict[str, int]]):
    """Version by site id."""

    def to_internal_value(self, data: dict[str, int]) -> dict[str, int]:
        if not isinstance(data, dict) or len(data) > MAX_IDS or any(type(one) is not int for one in data.values()):
            raise serializers.ValidationError(f"send an object of at most {MAX_IDS} numbers by site id")
        return data

    def to_representation(self, value: dict[str, int]) -> dict[str, int]:
        return value


class ClaimsIn(Strict):
    want = RowIds(default=list)
    count = serializers.IntegerField(min_value=0, max_value=MAX_COUNT, default=1)
    ahead = serializers.IntegerField(min_value=0, max_value=MAX_AHEAD, default=0)
    hold = serializers.IntegerField(
        min_value=0, max_value=MAX_COUNT, default=0, help_text="how many to lease in all, while others find enough"
    )
    exclude = RowIds(default=list)
    have = Versions(default=dict, help_text="version by site id, of what was fetched ahead and need not be sent again")


class DecisionIn(Strict):
    key = serializers.UUIDField()
    site = RowId(allow_null=True, default=None)
    base_version = serializers.IntegerField(min_value=0, max_value=MAX_VERSION, default=0)
    verdict = serializers.ChoiceField(choices=Decision.Verdict.choices)
    reason = serializers.ChoiceField(choices=Decision.Reason.choices, allow_blank=True, default="")
    types = TypesIn(default=dict)
    geometry = OutlineField(allow_null=True, default=None)
    comment = serializers.CharField(allow_blank=True, max_length=MAX_COMMENT, default="")
    campaign = serializers.SlugField(max_length=60, allow_null=True, default=None)
    scene = RowId(allow_null=True, default=None)
    undoes = serializers.UUIDField(allow_null=True, default=None)
    client_time = serializers.DateTimeField(allow_null=True, default=None)


class AreaIn(Strict):
    key = serializers.UUIDField()
    geometry = OutlineField()
    axis = serializers.ChoiceField(choices=Axis.choices, default=Axis.FEATURE)
    campaign = serializers.SlugField(max_length=60, allow_null=True, default=None)
    scene = RowId(allow_null=True, default=None)


class DecisionsQuery(Strict):
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20)
    campaign = serializers.SlugField(max_length=60, required=False, help_text="only what was done in this one")


class SiteQuery(Strict):
    campaign = serializers.SlugField(max_length=60, required=False)


class SpectrumQuery(Strict):
    scene = serializers.RegexField(KEY, help_text="the address of one of the scenes of the site, such as 12 or 12-7")


class AreasQuery(Strict):
    bbox = serializers.CharField(max_length=200, help_text="west,south,east,north in degrees")

    def validate_bbox(self, value: str) -> tuple[float, float, float, float]:
        try:
            west, south, east, north = (float(part) for part in value.split(","))
        except ValueError:
            raise serializers.ValidationError("send west,south,east,north in degrees") from None
        if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
            raise serializers.ValidationError("out of range: longitudes -180 to 180, latitudes -90 to 90")
        return west, south, east, north
