"""Drafts that share a file: it lies there as long as one of them needs it."""

import threading

import pytest
from django.contrib.auth.models import User
from django.db import connection

from labelling.core.blobs import Received
from labelling.models import SeedDraft
from labelling.services.seeds.drafts import discard_draft, path_of, start_draft
from tests.cast import Cast

TABLE = b"id,name,lat,lon\n1,Uno,-33.5,-70.5\n"


def brought(user: User) -> SeedDraft:
    return start_draft(user=user, file_name="mines.csv", pieces=[TABLE])


def test_the_file_goes_with_the_last_draft_of_it(open_house: Cast) -> None:
    first, second = brought(open_house.ada), brought(open_house.lea)
    path = path_of(first)
    assert path == path_of(second)
    discard_draft(draft=first)
    assert path.read_bytes() == TABLE
    discard_draft(draft=second)
    assert not path.exists()


def test_a_file_that_is_brought_while_its_only_draft_is_discarded_stays(
    open_house: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = brought(open_house.ada)
    keep = Received.keep

    def discard() -> None:
        discard_draft(draft=old)
        connection.close()

    other = threading.Thread(target=discard)

    def discarded_meanwhile(file: Received) -> None:
        keep(file)
        other.start()
        other.join(0.5)  # it waits until our draft is there

    monkeypatch.setattr(Received, "keep", discarded_meanwhile)
    new = brought(open_house.lea)
    other.join()
    assert list(SeedDraft.objects.all()) == [new]
    assert path_of(new).read_bytes() == TABLE
    assert new.preview["counts"]["added"] == 1
