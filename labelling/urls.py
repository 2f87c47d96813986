"""URLs of this room."""

from django.urls import include, path

from labelling.views import (
    bulk,
    campaigns,
    comments,
    contested,
    datasets,
    guide,
    jobs,
    review,
    scenes,
    site_tiles,
    sites,
    suspects,
    tiles,
)

_LOOK = "tiles/scenes/<int:scene_id>/<str:version>/<str:combination>"

urlpatterns = [
    path("datasets/", datasets.datasets, name="datasets"),
    path("datasets/<uuid:key>/", datasets.dataset, name="dataset"),
    path("datasets/<uuid:key>/files.zip", datasets.download, name="dataset-download"),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/<uuid:job_id>/", jobs.job, name="job"),
    path("jobs/<uuid:job_id>/cancel/", jobs.cancel, name="job-cancel"),
    path("review/", review.campaigns, name="campaigns"),
    path("review/contested/", contested.contested, name="contested"),
    path("review/suspects/", suspects.suspects, name="suspects"),
    path("review/new/", campaigns.campaign_new, name="campaign-new"),
    path("review/<slug:slug>/", review.review, name="review"),
    path("review/<slug:slug>/settings/", campaigns.campaign_settings, name="campaign-settings"),
    path("api/v1/", include("labelling.api.urls")),
    path("sites/", sites.sites, name="sites"),
    path("sites/map/", sites.sites_map, name="sites-map"),
    path("sites/frame/", sites.sites_frame, name="sites-frame"),
    path("sites/bulk/", bulk.bulks, name="bulks"),
    path("sites/bulk/<uuid:key>/", bulk.bulk, name="bulk"),
    path("sites/bulk/<uuid:key>/start/", bulk.bulk_start, name="bulk-start"),
    path("sites/bulk/<uuid:key>/undo/", bulk.bulk_undo, name="bulk-undo"),
    path("sites/<int:site_id>/", sites.site, name="site"),
    path("sites/<int:site_id>/comments/", comments.comment, name="site-comment"),
    path("guide/", guide.guide, name="guide"),
    path("guide/<slug:code>/", guide.guide_type, name="guide-type"),
    path("guide/<slug:code>/edit/", guide.guide_edit, name="guide-edit"),
    path("imports/", sites.imports, name="imports"),
    path("scenes/", scenes.scenes, name="scenes"),
    path("scenes/<int:scene_id>/", scenes.scene, name="scene"),
    path("scenes/<int:scene_id>/convert/", scenes.convert, name="scene-convert"),
    path("tiles/sites/<int:z>/<int:x>/<int:y>.json", site_tiles.site_tile, name="site-tile"),
    path("tiles/scenes/<int:scene_id>/<str:version>/sheet.<str:fmt>", tiles.scene_sheet, name="scene-sheet"),
    path(f"{_LOOK}/thumb.<str:fmt>", tiles.scene_thumb, name="scene-thumb"),
    path(f"{_LOOK}/<str:z>/<str:x>/<str:y>.<str:fmt>", tiles.scene_tile, name="scene-tile"),
]
