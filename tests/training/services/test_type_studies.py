"""A study from its row to proposals and suspects, by the same functions that the worker calls."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast as cast_to

import numpy as np
import pytest
import shapely
from django.contrib.gis.geos import Polygon
from shapely import affinity

from labelling.core.matching import ClaimSpec
from labelling.models import Job, Label, Proposal, Site, Suspect
from labelling.models.spatial import to_geos, to_shapely
from labelling.services.jobs import run_job
from labelling.services.sites import place_claims
from labelling.services.suspects import find_suspects
from tests.cast import Cast
from tests.mines import a_source, decide
from tests.truth import multi
from training.core.errors import BadRecipe, TooFewLabels
from training.core.type_study import StudySettings
from training.models import TestBlock, TestSet, TypeOpinion, TypeStudy
from training.services.order import refresh_order
from training.services.suspects import look_for_suspects, run_suspects, suspects_if_due
from training.services.type_examples import gather_material
from training.services.type_studies import run_study, start_study

pytest.importorskip("sklearn", reason="scikit-learn belongs to the workers")
pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("taxonomy")]

SHAPES = StudySettings(families=("shape",), block_m=5_000, buffer_m=500)
LAT = -5.0


def outline(number: int, code: str, rng: np.random.Generator) -> shapely.Polygon:
    """Ponds are squat and dumps are slender; every one is turned, sized and placed by chance."""
    long, short = (0.004, 0.0006) if code == "waste_rock_dump" else (0.0018, 0.0013)
    size = rng.uniform(0.8, 1.2)
    shape = shapely.box(0, 0, long * size, short * size)
    turned = affinity.rotate(shape, rng.uniform(0, 180))
    return affinity.translate(turned, -44 + 0.1 * (number % 12), LAT + number // 12 * 0.1)


def sites(codes: Sequence[str], *, kind: str = "polygons", typed: bool = False, start: int = 0) -> list[Site]:
    rng = np.random.default_rng(start)
    specs = [
        ClaimSpec(
            f"{start + number}",
            outline(start + number, code, rng),
            types={"feature": ((code, None),)} if typed else {},
        )
        for number, code in enumerate(codes)
    ]
    placed = place_claims(source=a_source(f"{kind} of the tests", kind=kind), claims=specs)
    return [proposal.site for proposal in placed.proposals]


def two_types(count: int) -> list[str]:
    return ["pond" if number % 2 else "waste_rock_dump" for number in range(count)]


def learned(cast: Cast, count: int = 36) -> list[Site]:
    """Sites that Ana has verified."""
    found = sites(two_types(count))
    for site, code in zip(found, two_types(count), strict=True):
        decide(cast.ana, site, "accept", types={"feature": code})
    return found


def done(study: TypeStudy) -> TypeStudy:
    run_job(job_id=study.job_id, work=lambda job, handle: run_study(job=job, handle=handle))
    finished = TypeStudy.objects.select_related("job", "source").get(pk=study.pk)
    assert finished.job.state == Job.State.DONE, finished.job.error
    return finished


def test_open_sites_get_proposals_and_nobody_a_label(cast: Cast) -> None:
    learned(cast)
    ponds, dumps = sites(["pond"], start=100), sites(["waste_rock_dump"], start=110)
    study = done(start_study(settings=SHAPES, user=cast.ada))
    overall = study.report["overall"]
    assert overall["count"] == study.counts["examples"] == 36
    assert overall["accuracy"] > 0.9 > overall["majority"]
    assert TypeOpinion.objects.filter(study=study).count() == 36
    for site, code in ((ponds[0], "pond"), (dumps[0], "waste_rock_dump")):
        proposal = Proposal.objects.get(site=site, source=study.source)
        best, share = proposal.types["feature"][0]
        assert (best, proposal.properties["version"]) == (code, study.name)
        assert 0.5 < share <= 1
        site.refresh_from_db()
        assert (site.state, site.feature.code) == (Site.State.OPEN, code)  # type: ignore[union-attr]
    assert Label.objects.count() == 36
    assert study.job.result["accuracy"] == overall["accuracy"]


def test_a_flipped_label_becomes_a_suspect_with_the_figures(cast: Cast) -> None:
    found = learned(cast)
    wrong = found[5]
    decide(cast.lea, wrong, "fix", types={"feature": "waste_rock_dump"})
    study = done(start_study(settings=SHAPES))
    first = Suspect.objects.order_by("-score").first()
    assert first is not None
    assert (first.site, study.counts["suspects"]) == (wrong, Suspect.objects.count())
    [doubt] = first.doubts
    assert "calls it pond" in doubt["words"]
    assert "not waste rock dump (0." in doubt["words"]
    assert f"{study.name}, 36 examples" in doubt["words"]
    # The same opinion about a label that has changed since says nothing.
    decide(cast.lea, wrong, "fix", types={"feature": "pond"})
    assert look_for_suspects().suspects == study.counts["suspects"] - 1


def test_a_second_study_says_only_what_is_new_and_a_seed_that_differs_is_told(cast: Cast) -> None:
    learned(cast)
    [site] = sites(["pond"], kind="labelled", start=100)
    place_claims(
        source=a_source("Seeds that err"),
        claims=[ClaimSpec("x", to_shapely(site.footprint), types={"feature": (("open_pit", None),)})],
    )
    first = done(start_study(settings=SHAPES))
    second = done(start_study(settings=SHAPES))
    assert (first.name, second.name) == ("types-feature-1", "types-feature-2")
    assert (second.counts["classifier"], second.labels_hash) == (0, first.labels_hash)
    refresh_order()
    site.refresh_from_db()
    told = "two sources disagree on the type: open pit (Seeds that err) or pond (Type classifier: feature "
    assert told in site.why


def test_seeds_can_teach_until_people_have(cast: Cast) -> None:
    typed = sites(two_types(30), kind="labelled", typed=True)
    with pytest.raises(TooFewLabels, match="there are none"):
        start_study(settings=SHAPES)
    study = done(start_study(settings=StudySettings(families=("shape",), truth="seeds", block_m=5_000, buffer_m=500)))
    assert study.report["overall"]["accuracy"] > 0.9
    # What it says of a site that taught it, it said without that site.
    proposal = Proposal.objects.get(site=typed[1], source=study.source)
    opinion = TypeOpinion.objects.get(study=study, site=typed[1])
    assert proposal.types["feature"][0] == opinion.odds[0]


def test_nothing_in_a_test_block_is_learned_from(cast: Cast) -> None:
    found = learned(cast)
    assert len(gather_material(settings=SHAPES).examples) == 36
    testset = TestSet.objects.create(
        name="t", axis="feature", block_m=1e4, buffer_m=100, share=0.1, seed=0, checksum="-"
    )
    west, south, east, north = found[7].footprint.extent
    block = shapely.box(west - 0.01, south - 0.01, east + 0.01, north + 0.01)
    outline = cast_to(Polygon, to_geos(block))
    TestBlock.objects.create(testset=testset, key="k", geometry=outline, buffered=multi(outline))
    material = gather_material(settings=SHAPES)
    assert (material.tested, len(material.examples)) == (1, 35)
    assert found[7].pk not in {one.key for one in material.examples + material.others}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"axis": "colour"}, "no axis colour"),
        ({"families": ("shape", "smell")}, "no features smell"),
        ({"families": ()}, "no features at all"),
        ({"families": ("embedding",)}, "embedding needs"),
        ({"architecture": "resnet18", "weights": "a.safetensors"}, "embedding needs"),
        ({"limit": -1}, "look at 0 to"),
    ],
)
def test_settings_that_cannot_be_studied_say_why(settings: dict[str, object], problem: str) -> None:
    with pytest.raises(BadRecipe, match=problem):
        StudySettings(**settings)  # type: ignore[arg-type]


def test_settings_are_the_same_in_json() -> None:
    assert StudySettings.from_json(SHAPES.to_json()) == SHAPES
    with pytest.raises(BadRecipe, match="unknown setting colour"):
        StudySettings.from_json({"colour": "red"})


def test_weights_are_sought_in_their_folder_alone(cast: Cast, tmp_path: Path) -> None:
    learned(cast, 20)
    outside = tmp_path / "w.safetensors"
    outside.write_bytes(b"x")
    for name in ("missing.safetensors", "../w.safetensors", str(outside)):
        with pytest.raises(BadRecipe, match="no weights"):
            start_study(settings=StudySettings(families=("embedding",), architecture="resnet18", weights=name))
    assert not TypeStudy.objects.exists()


def test_points_without_imagery_cannot_be_told_apart(cast: Cast) -> None:
    specs = [
        ClaimSpec(f"{number}", shapely.Point(-44 + 0.1 * number, LAT), types={"feature": ((code, None),)})
        for number, code in enumerate(two_types(30))
    ]
    place_claims(source=a_source(), claims=specs)
    study = start_study(settings=StudySettings(families=("shape",), truth="seeds"))
    run_job(job_id=study.job_id, work=lambda job, handle: run_study(job=job, handle=handle))
    job = Job.objects.get(pk=study.job_id)
    assert job.state == Job.State.FAILED
    assert "nothing could be measured" in job.error
    assert not Proposal.objects.filter(source__kind="model").exists()


def test_labels_are_looked_at_when_there_is_news_and_not_before(cast: Cast) -> None:
    assert suspects_if_due() is None
    learned(cast, 2)
    job = suspects_if_due()
    assert job is not None
    assert suspects_if_due() is None
    run_job(job_id=job.pk, work=lambda _job, handle: run_suspects(handle=handle))
    assert suspects_if_due() is None
    learned_more = sites(["pond"], start=200)
    decide(cast.ana, learned_more[0], "accept", types={"feature": "pond"})
    assert suspects_if_due() is not None
    assert find_suspects().labels == 3
