"""Who may what is asked once a request, and says the same as Django's own way of asking."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Permission, User

from mad_web.backend import Backend
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def fresh(user: User) -> User:
    return get_user_model().objects.get(pk=user.pk)


def test_everybody_may_what_django_says(cast: Cast) -> None:
    cast.eve.user_permissions.add(Permission.objects.get(codename="view_scene"))
    cast.ana.user_permissions.add(Permission.objects.get(codename="add_decision"))
    for person in (cast.ana, cast.ben, cast.lea, cast.ada, cast.gus, cast.eve):
        assert fresh(person).get_all_permissions() == ModelBackend().get_all_permissions(fresh(person))
    assert fresh(cast.eve).get_all_permissions() == {"labelling.view_scene"}


def test_it_is_asked_once_however_often_it_is_needed(cast: Cast, django_assert_num_queries: Any) -> None:
    ana = fresh(cast.ana)
    with django_assert_num_queries(1):
        assert ana.has_perm("labelling.add_decision")
        assert not ana.has_perm("labelling.change_label")
        assert not ana.has_perms(["labelling.add_decision", "labelling.change_label"])


def test_a_person_comes_with_all_permissions(cast: Cast, django_assert_num_queries: Any) -> None:
    for person in (cast.ana, cast.lea, cast.gus, cast.eve):
        with django_assert_num_queries(1):
            found = Backend().get_user(person.pk)
            assert found is not None
            assert not found.has_perm("labelling.delete_site")
            held = found.get_all_permissions()
        assert (found, found.username, held) == (person, person.username, fresh(person).get_all_permissions())


def test_a_superuser_comes_with_everything_and_who_was_shut_out_not_at_all(cast: Cast) -> None:
    User.objects.filter(pk=cast.ana.pk).update(is_active=False)
    User.objects.filter(pk=cast.eve.pk).update(is_superuser=True)
    assert Backend().get_user(cast.ana.pk) is Backend().get_user(0) is None
    eve = Backend().get_user(cast.eve.pk)
    assert eve is not None
    assert "labelling.delete_site" in eve.get_all_permissions()


def test_what_is_withdrawn_is_gone_with_the_next_request(cast: Cast) -> None:
    assert fresh(cast.lea).has_perm("labelling.change_label")
    cast.lea.groups.clear()
    assert not fresh(cast.lea).has_perm("labelling.change_label")


def test_who_was_shut_out_may_nothing_and_a_superuser_everything(cast: Cast) -> None:
    User.objects.filter(pk=cast.ana.pk).update(is_active=False)
    User.objects.filter(pk=cast.eve.pk).update(is_superuser=True)
    assert fresh(cast.ana).get_all_permissions() == set()
    assert not fresh(cast.ana).has_perm("labelling.add_decision")
    assert fresh(cast.eve).has_perm("labelling.delete_site")
    assert "labelling.delete_site" in fresh(cast.eve).get_all_permissions()


def test_strangers_and_single_objects_have_no_permissions(cast: Cast) -> None:
    assert AnonymousUser().get_all_permissions() == set()
    assert not fresh(cast.lea).has_perm("labelling.change_label", cast.ana)
