"""Settings, URLs, the Celery app and its schedule, navigation and the front page. Nobody imports it."""

from mad_web.celery import app as celery_app

__all__ = ["celery_app"]
