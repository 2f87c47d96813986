"""Types proposed from the real Chile features. They stand beside the project (MAD_SHARED_DATA).

There is no imagery for Chile among the shared data: what is judged here are outlines and neighbours alone.
"""

import pytest
from django.conf import settings

from labelling.models import Job, Proposal, Site
from labelling.services.jobs import run_job
from labelling.services.regions import import_regions
from labelling.services.seeds import import_seeds
from training.core.type_study import StudySettings
from training.models import TypeOpinion, TypeStudy
from training.services.type_studies import run_study, start_study

SEEDS = settings.SHARED_DATA / "seeds"
pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("taxonomy"),
    pytest.mark.skipif(not SEEDS.is_dir(), reason=f"no real seeds at {SEEDS}: set MAD_SHARED_DATA"),
]


def study(**chosen: object) -> TypeStudy:
    started = start_study(settings=StudySettings(truth="seeds", **chosen))  # type: ignore[arg-type]
    run_job(job_id=started.job_id, work=lambda job, handle: run_study(job=job, handle=handle))
    done = TypeStudy.objects.select_related("job").get(pk=started.pk)
    assert done.job.state == Job.State.DONE, done.job.error
    return done


def test_types_of_chile_from_outlines_and_neighbours() -> None:
    import_regions(path=settings.SHARED_DATA / "regions" / "Ecoregions2017.shp")
    import_seeds(
        path=SEEDS / "labelled" / "chile_lames_features.geojson", source_name="LAMES", kind="labelled", mapping="lames"
    )
    done = study(families=("shape", "neighbours"))
    report, overall = done.report, done.report["overall"]
    assert report["with_imagery"] == 0
    assert 1150 < overall["count"] <= 1203
    assert TypeOpinion.objects.filter(study=done).count() == overall["count"]
    # Better than always naming the commonest type, beyond chance, and probabilities that mean what they say.
    assert overall["low"] > overall["majority"] + 0.1
    assert overall["accuracy"] > 0.5
    assert overall["ece"] < 0.08
    assert overall["log_loss"] < overall["prior_log_loss"] - 0.3
    assert sum(one["count"] for one in report["bins"]) == overall["count"]
    assert report["unseen_regions"]["accuracy"] > report["unseen_regions"]["majority"]
    assert sum(one["count"] for one in report["regions"]) == overall["count"]
    # Nobody's word was taken for a label, and nothing became one.
    assert not Site.objects.exclude(state=Site.State.OPEN).exists()
    assert Proposal.objects.filter(source=done.source).count() > 1000
