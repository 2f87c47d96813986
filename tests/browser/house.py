"""A house with something in every room, for tests that look at every page.

Run as a module it furnishes ``MAD_HOME`` and writes ``pages.json`` there: the paths of each URL that has a page.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cast import Cast

HERE = (-44.1, -20.1)


def main() -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from tests.cast import Cast

    call_command("prepare", verbosity=0)
    cast = Cast.arrive()
    folder = Path(settings.MAD_HOME) / "house"
    folder.mkdir()
    pages = {**_labels(cast), **_seeds(cast, folder), **_models(cast, folder), **_work(cast, folder)}
    (Path(settings.MAD_HOME) / "pages.json").write_text(json.dumps(pages))


def _labels(cast: "Cast") -> dict[str, list[str]]:
    """Sites of every state, with opinions, comments and actions in bulk."""
    from uuid import uuid4

    from labelling.models import Site
    from labelling.services.bulk import Wish, draw_up_bulk, start_bulk, undo_bulk
    from labelling.services.campaigns import Terms, create_campaign
    from labelling.services.comments import add_comment
    from tests.mines import a_source, decide, drawn, some_sites

    campaign = create_campaign(terms=Terms("Synthetic house", guideline="Synthetic ground. Accept what is a mine."))
    settled = create_campaign(terms=Terms("Synthetic blind", reviews_needed=2))
    source = a_source(name="seeds of the house", synthetic=True)
    sites = some_sites(9, source=source, types={"feature": (("open_pit", None),)})
    decide(cast.ana, sites[0], "fix", types={"feature": "pond"}, geometry=drawn(side=0.02), comment="a pond, rather")
    decide(cast.ana, sites[1], "reject", reason="cloud")
    decide(cast.ana, sites[2], campaign_id=settled.pk)
    decide(cast.ben, sites[2], "reject", reason="not_a_mine", campaign_id=settled.pk, comment="a lake")
    decide(cast.ben, sites[3], "unsure")
    for text in ("@lea is this one active?", "It was in 2021."):
        add_comment(user=cast.ana, site=sites[2], key=uuid4(), text=text)
    part = Site.objects.filter(pk__in=[site.pk for site in sites[1:6]])
    bulks = [
        draw_up_bulk(user=cast.lea, wish=wish, sites=part, asked="state=open")
        for wish in (Wish("reject", reason="cloud"), Wish("first"), Wish("reset"))
    ]
    moved = Wish("shift", east=30, north=-12.5)
    bulks.append(draw_up_bulk(user=cast.lea, wish=moved, sites=Site.objects.filter(pk=sites[0].pk)))
    start_bulk(user=cast.lea, bulk=bulks[1])
    start_bulk(user=cast.lea, bulk=bulks[2])
    undo_bulk(user=cast.lea, bulk=bulks[2])
    return {
        "site": [f"/sites/{sites[index].pk}/" for index in (0, 2, 4, 8)],
        "sites": ["/sites/", "/sites/?q=nowhere", "/sites/?state=castle"],
        "bulks": ["/sites/bulk/"],
        "bulk": [f"/sites/bulk/{bulk.pk}/" for bulk in bulks],
        "agreement-person": ["/agreement/people/ana/"],
        "agreement-rows": ["/agreement/rows/pairs/", "/agreement/rows/decisions/"],
        "review": [f"/review/{campaign.slug}/"],
        "campaign-new": ["/review/new/", "/review/new/?feature=open_pit&q=pit&state=rejected"],
        "campaign-leases": [f"/review/{campaign.slug}/leases/"],
        "campaign-settings": [f"/review/{campaign.slug}/settings/"],
        "guide-type": ["/guide/pond/", "/guide/open_pit/"],
        "guide-edit": ["/guide/pond/edit/"],
    }


def _seeds(cast: "Cast", folder: Path) -> dict[str, list[str]]:
    """An import with a refused row, and a file that somebody looks at before it is imported."""
    from labelling.models import SeedImport
    from labelling.services.seeds import import_seeds
    from labelling.services.seeds.drafts import start_draft

    table = folder / "mines.csv"
    table.write_text("id,lon,lat,kind\n1,20.1,5.2,open pit\n2,20.2,5.3,pond\n3,500,5.3,pond\n")
    import_seeds(path=table, source_name="a table", kind="labelled", synthetic=True, skip_bad_rows=True)
    draft = start_draft(user=cast.ada, file_name="mines.csv", pieces=[table.read_bytes()])
    imported = SeedImport.objects.get(source__name="a table")
    return {
        "import": [f"/imports/{imported.pk}/"],
        "import-source": [f"/imports/sources/{imported.source_id}/"],
        "import-draft": [f"/imports/drafts/{draft.pk}/"],
    }


def _models(cast: "Cast", folder: Path) -> dict[str, list[str]]:
    """Two models with scores on a test set, one of them serving, and an experiment under way."""
    from inference.models import DispatchEntry, ModelVersion
    from labelling.models import Job
    from tests.inference.models import fake_model, proposed
    from tests.mines import decide
    from tests.training.ground import SMALL, pit_country
    from tests.training.services.test_evaluation import PIT, POND, place
    from tests.truth import LAT, WEST, region, square
    from training.models import EpochLog, TypeStudy
    from training.services.evaluation import evaluate_model
    from training.services.experiments import start_experiment
    from training.services.testsets import freeze_testset

    region(563, "Caatinga", square(WEST, LAT, 300_000))
    for number in range(4):
        place(cast, folder, number, PIT, POND)
    testset = freeze_testset(name="universal", block_m=2_000, buffer_m=500, share=0.5)
    models = [fake_model(folder, name=name) for name in ("steady", "bold")]
    for model in models:
        evaluate_model(model=model, testset=testset)
    found = proposed(models[0], 0.94, 0.91, 0.76, 0.72, 0.55, 0.31, lat=-23)
    decide(cast.ana, found[0])
    decide(cast.ana, found[1], "fix", types={"feature": "pond"})
    decide(cast.ana, found[2], "reject", reason="cloud")
    decide(cast.ana, found[3], "reject", reason="not_a_mine")
    decide(cast.ana, found[4], "unsure")
    ModelVersion.objects.filter(pk=models[0].pk).update(status="serving", engine="yolo")
    DispatchEntry.objects.create(model=models[0])
    pit_country(folder, cast.ana, count=2)
    experiment = start_experiment(plan=SMALL, name="pits", user=cast.ada)
    for epoch in range(1, 4):
        figures = {"train/box_loss": 2.0 / epoch, "val/box_loss": 3.0 / epoch, "mAP50": 0.1 * epoch}
        EpochLog.objects.create(experiment=experiment, attempt=1, epoch=epoch, metrics=figures)
    job = Job.objects.create(kind="training.study_types", title="learn types", state="failed", error="too few labels")
    study = TypeStudy.objects.create(name="types of the house", axis="feature", settings={}, job=job)
    return {
        "type-study": [f"/training/types/{study.pk}/"],
        "testset": [f"/testsets/{testset.name}/"],
        "model": [f"/models/{model.name}/" for model in models],
        "models": ["/models/"],
        "experiment": [f"/training/{experiment.pk}/"],
        "experiment-new": ["/training/new/", "/training/new/?preset=quick"],
    }


def _work(cast: "Cast", folder: Path) -> dict[str, list[str]]:
    """Scenes, a finished and a failed job, a dataset, and runs."""
    from inference.services.runs import create_run, execute_run
    from labelling.core.export import ExportSettings
    from labelling.models import Job, Scene, SceneImport
    from labelling.services.jobs import run_job
    from labelling.services.scenes import import_scenes
    from labelling.services.snapshots import begin_snapshot, enqueue_snapshot, write_snapshot
    from tests.inference.catalogue import catalogued
    from tests.inference.models import fake_model

    scene = catalogued(folder / "runs.tif", [(20, 20, 40, 50, "B04")])
    model = fake_model(folder, name="finder")
    runs = [create_run(user=cast.ada, scenes=[scene], model=model, name=name) for name in ("looked", "to look")]
    run_job(job_id=runs[0].job_id, work=lambda job, handle: execute_run(job=job, handle=handle))
    wanted = ExportSettings(format="geojson")
    whole = write_snapshot(snapshot=begin_snapshot(settings=wanted, user=cast.ada))
    asked = enqueue_snapshot(settings=wanted, user=cast.ada)
    import_scenes(paths=[folder / "no such scene.tif"])
    failed = Job.objects.create(kind="training.train", title="train pits", state="failed", error="the disk is full")
    return {
        "scene": [f"/scenes/{scene.pk}/", f"/scenes/{Scene.objects.earliest('pk').pk}/"],
        "scene-import": [f"/scenes/imports/{SceneImport.objects.latest('pk').pk}/"],
        "runs": ["/runs/"],
        "run": [f"/runs/{run.pk}/" for run in runs],
        "dataset": [f"/datasets/{snapshot.key}/" for snapshot in (whole, asked)],
        "job": [f"/jobs/{failed.pk}/", f"/jobs/{runs[0].job_id}/"],
    }


if __name__ == "__main__":
    main()
