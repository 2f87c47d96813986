from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from labelling.models import Source
from labelling.services.reading import consistent_read
from tests.cast import Cast


def write_one() -> None:
    try:
        Source.objects.create(name="meanwhile", kind="person")
    finally:
        connections.close_all()


def test_a_reader_keeps_nobody_waiting_and_does_not_see_what_is_written_meanwhile(open_house: Cast) -> None:
    with consistent_read():
        before = Source.objects.count()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(write_one).result(timeout=20)
        assert Source.objects.count() == before
    assert Source.objects.count() == before + 1


def test_after_a_reader_one_writes_again(open_house: Cast) -> None:
    with consistent_read():
        assert connection.in_atomic_block
    with transaction.atomic():
        Source.objects.create(name="later", kind="person")
    assert Source.objects.filter(name="later").exists()


@pytest.mark.django_db
def test_within_a_transaction_it_adds_nothing() -> None:
    Source.objects.create(name="mine", kind="person")
    with consistent_read():
        assert Source.objects.filter(name="mine").exists()
