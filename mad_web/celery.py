"""The Celery app and its schedule. Messages carry only the id of a job's row."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mad_web.settings")

app = Celery("mad_web")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["labelling", "inference", "training"])
app.conf.beat_schedule = {
    "reap dead jobs and send forgotten ones": {
        "task": "labelling.tick",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "order the queue anew where there is news": {
        "task": "training.keep_order",
        "schedule": 180.0,
        "options": {"expires": 180},
    },
    "look for suspect labels where there is news": {
        "task": "training.keep_suspects",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "hold every site against its decisions, once a day": {
        "task": "labelling.keep_checked",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
}
