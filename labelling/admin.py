"""The server administration: rows as they are, for who looks after the machine."""

from typing import TYPE_CHECKING

from django.contrib import admin

from labelling.models import Campaign, Decision, MineType, Proposal, Region, Scene, SeedImport, Site, Source

if TYPE_CHECKING:
    _CampaignBase = admin.ModelAdmin[Campaign]
    _DecisionBase = admin.ModelAdmin[Decision]
    _MineTypeBase = admin.ModelAdmin[MineType]
    _ProposalBase = admin.ModelAdmin[Proposal]
    _RegionBase = admin.ModelAdmin[Region]
    _SceneBase = admin.ModelAdmin[Scene]
    _SeedImportBase = admin.ModelAdmin[SeedImport]
    _SiteBase = admin.ModelAdmin[Site]
    _SourceBase = admin.ModelAdmin[Source]
else:
    _CampaignBase = _DecisionBase = _MineTypeBase = _ProposalBase = _RegionBase = admin.ModelAdmin
    _SceneBase = _SeedImportBase = _SiteBase = _SourceBase = admin.ModelAdmin


@admin.register(Scene)
class SceneAdmin(_SceneBase):
    """Scenes come from files: here they are looked at, renamed, described and removed, never invented."""

    # No spatial filter and no geometry field: a client's text never reaches a spatial lookup.
    list_display = ("name", "kind", "sensor", "level", "acquired_at", "pixel_m", "has_overviews", "synthetic")
    list_filter = ("kind", "sensor", "level", "has_overviews", "synthetic")
    search_fields = ("name", "uri")
    date_hierarchy = "acquired_at"
    fields = (
        ("name", "attribution"),
        ("kind", "sensor", "level", "synthetic"),
        ("acquired_at", "acquired_until"),
        ("uri", "version"),
        ("crs", "width", "height", "pixel_m"),
        ("bands", "scales", "offsets", "nodata", "dtype"),
        ("baseline", "radiometry"),
        ("scl", "cloud_probability"),
        ("has_overviews", "display", "quality", "measured"),
    )
    readonly_fields = (
        "uri",
        "version",
        "crs",
        "width",
        "height",
        "pixel_m",
        "bands",
        "scales",
        "offsets",
        "nodata",
        "dtype",
        "has_overviews",
        "display",
        "quality",
        "measured",
        "baseline",
        "radiometry",
        "scl",
        "cloud_probability",
    )

    def has_add_permission(self, request: object) -> bool:
        return False


class _ReadOnly:
    """Append-only rows are looked at. Their outlines are left out: the admin's map loads from elsewhere."""

    show_full_result_count = False

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(Decision)
class DecisionAdmin(_ReadOnly, _DecisionBase):
    exclude = ("geometry",)
    list_display = ("id", "site_id", "verdict", "reason", "reviewer", "version", "campaign", "created_at")
    list_filter = ("verdict", "reason", "as_lead", "campaign")
    list_select_related = ("reviewer", "campaign")
    search_fields = ("=key", "=site__id", "reviewer__username")
    date_hierarchy = "created_at"


@admin.register(Proposal)
class ProposalAdmin(_ReadOnly, _ProposalBase):
    exclude = ("geometry",)
    list_display = ("id", "site_id", "source", "score", "is_mine", "created_at")
    list_filter = ("source", "is_mine")
    list_select_related = ("source",)
    search_fields = ("=site__id", "external_id")


@admin.register(Campaign)
class CampaignAdmin(_CampaignBase):
    list_display = ("name", "axis", "reviews_needed", "lease_s", "active", "created_at")
    list_filter = ("active", "axis")
    search_fields = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    filter_horizontal = ("reviewers",)


@admin.register(MineType)
class MineTypeAdmin(_MineTypeBase):
    """Code and axis are written into decisions: they are chosen once."""

    list_display = ("code", "name", "axis", "rank", "color")
    list_filter = ("axis",)
    search_fields = ("code", "name")

    def get_readonly_fields(self, request: object, obj: MineType | None = None) -> tuple[str, ...]:
        return ("code", "axis") if obj else ()


@admin.register(Region)
class RegionAdmin(_ReadOnly, _RegionBase):
    exclude = ("geom",)
    list_display = ("eco_id", "name", "biome", "realm")
    list_filter = ("realm", "biome")
    search_fields = ("name", "=eco_id")


@admin.register(Site)
class SiteAdmin(_ReadOnly, _SiteBase):
    """Sites follow from their proposals and decisions; the pages of the program change them."""

    exclude = ("footprint", "point")
    list_display = ("id", "name", "state", "feature", "commodity", "method", "area_ha", "version")
    list_filter = ("state", "feature", "synthetic")
    list_select_related = ("feature", "commodity", "method")
    search_fields = ("name", "=id")


@admin.register(Source)
class SourceAdmin(_SourceBase):
    """Licence and citation can be corrected; a source with claims stays."""

    list_display = ("name", "kind", "licence", "synthetic", "created_at")
    list_filter = ("kind", "synthetic")
    search_fields = ("name",)
    readonly_fields = ("kind", "mapping", "synthetic")

    def has_add_permission(self, request: object) -> bool:
        return False


@admin.register(SeedImport)
class SeedImportAdmin(_ReadOnly, _SeedImportBase):
    list_display = ("file_name", "layer", "source", "created_by", "created_at")
    list_filter = ("source",)
    list_select_related = ("source", "created_by")
    search_fields = ("file_name", "=sha256")
