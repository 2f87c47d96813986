"""Every URL. Each room brings its own."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from mad_web import views

urlpatterns = [
    path("", views.home, name="home"),
    path("dashboard/decisions.csv", views.days_csv, name="home-days"),
    path("dashboard/quality.csv", views.quality_csv, name="home-quality"),
    path("login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("session/", views.session, name="session"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
    path("", include("labelling.urls")),
    path("", include("inference.urls")),
    path("", include("training.urls")),
]
