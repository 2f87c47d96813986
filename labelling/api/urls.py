"""Addresses of the review API, below /api/v1/."""

from django.urls import path

from labelling.api import keys, spectrum, views, waits

urlpatterns = [
    path("campaigns/<slug:slug>/claims/", views.Claims.as_view(), name="api-claims"),
    path("claims/<uuid:token>/", views.ClaimRelease.as_view(), name="api-claim"),
    path("claims/<uuid:token>/heartbeat/", views.ClaimBeat.as_view(), name="api-claim-heartbeat"),
    path("decisions/", views.Decisions.as_view(), name="api-decisions"),
    path("keys/", keys.Keys.as_view(), name="api-keys"),
    path("sites/<int:site_id>/", views.SiteCard.as_view(), name="api-site"),
    path("sites/<int:site_id>/spectrum/", spectrum.SiteSpectrum.as_view(), name="api-site-spectrum"),
    path("reviewed-areas/", views.Areas.as_view(), name="api-reviewed-areas"),
    path("reviewed-areas/<uuid:key>/revoke/", views.AreaRevoke.as_view(), name="api-reviewed-area-revoke"),
    path("waits/", waits.Waits.as_view(), name="api-waits"),
]
