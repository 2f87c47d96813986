"""The commands of studies and suspects."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from labelling.models import Job
from tests.cast import Cast
from tests.labelling.services.test_suspects import verified
from tests.mines import decide, some_sites
from training.models import TypeStudy

pytestmark = pytest.mark.django_db


def test_types_without_examples_are_refused_with_the_counts(cast: Cast) -> None:
    verified(cast)
    with pytest.raises(CommandError, match=r"two types with 8 examples each are needed \(pond: 3\)"):
        call_command("propose_types", "--features", "shape")
    assert not Job.objects.exists()


def test_embedding_wants_its_weights(cast: Cast) -> None:
    with pytest.raises(CommandError, match="embedding needs the name of a network"):
        call_command("propose_types", "--features", "shape", "embedding")


def test_a_study_is_written_for_a_worker(cast: Cast) -> None:
    for number, site in enumerate(some_sites(16)):
        decide(cast.ana, site, "accept", types={"feature": "pond" if number % 2 else "open_pit"})
    said = StringIO()
    call_command("propose_types", "--features", "shape", "--limit", "7", stdout=said)
    study = TypeStudy.objects.get()
    assert study.name in said.getvalue()
    assert (study.settings["limit"], study.settings["families"]) == (7, ["shape"])
    assert study.job.kind == "training.propose_types"


def test_suspects_are_looked_for_and_counted(cast: Cast) -> None:
    verified(cast)
    said = StringIO()
    call_command("find_suspects", stdout=said)
    assert said.getvalue() == "looked at 3 labels: 0 look wrong, 0 of them new; 0 were settled before\n"
