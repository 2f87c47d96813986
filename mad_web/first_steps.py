"""From an empty installation to a running loop: what to do first, and what is done."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from inference.models import ModelVersion
from labelling.services.dashboard import Work
from training.models import TestSet


@dataclass(frozen=True)
class Step:
    """One step of the loop.

    Attributes:
        title: what is done in it.
        text: why.
        command: what does it; empty where a page does.
        url_name: the page that does it; empty where a command does.
        done: whether there is something of it already.
    """

    title: str
    text: str
    command: str
    url_name: str
    done: bool


def first_steps(*, user: User, work: Work) -> tuple[Step, ...]:
    """The steps that somebody who brings things in has to take; none where all are done or others take them."""
    if not user.has_perm("labelling.add_scene"):
        return ()
    settled = work.sites.verified + work.sites.rejected
    steps = (
        Step(
            "Bring imagery in",
            "GeoTIFFs with named bands; each is checked and catalogued, or refused with a reason.",
            "manage.py import_scenes FOLDER --sensor sentinel-2-l2a",
            "",
            work.scenes > 0,
        ),
        Step(
            "Bring seeds in",
            "What others have mapped becomes sites to review; ecoregions say where they lie.",
            "manage.py import_seeds FILE --source NAME --kind polygons",
            "import-new",
            work.sites.total > 0,
        ),
        Step("Review", "One key a decision; verified sites are what models learn from.", "", "campaigns", settled > 0),
        Step(
            "Freeze a test set",
            "Before anything is trained: nothing in it ever trains, and every model is judged on it.",
            "manage.py freeze_testset NAME",
            "",
            TestSet.objects.exists(),
        ),
        Step(
            "Train a model",
            "From verified labels in windows that are complete; its detections come back as proposals.",
            "manage.py train --preset baseline",
            "training",
            ModelVersion.objects.exists(),
        ),
    )
    return () if all(step.done for step in steps) else steps
