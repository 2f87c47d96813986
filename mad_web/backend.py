"""Who is asking and what they may, asked of the database once a request."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection

from labelling.models.rows import columns_of

# Django asks for a person, their own permissions and those of their groups apart, and composes each anew every time.
_PERMISSIONS = """
    SELECT {all} FROM auth_permission permission JOIN django_content_type app ON app.id = permission.content_type_id
    WHERE permission.id IN (
        SELECT permission_id FROM auth_user_user_permissions WHERE user_id = %(user)s
        UNION ALL
        SELECT granted.permission_id FROM auth_group_permissions granted
        JOIN auth_user_groups member ON member.group_id = granted.group_id WHERE member.user_id = %(user)s)"""
_IN_ONE_LINE = {"postgresql": "string_agg({one}, ' ')", "sqlite": "group_concat({one}, ' ')"}


class Backend(ModelBackend):
    """Django's own, with a person and all their permissions in one question."""

    def get_user(self, user_id: Any) -> User | None:
        line = _IN_ONE_LINE[connection.vendor].format(one="app.app_label || '.' || permission.codename")
        columns = columns_of(User, "person", connection.vendor)
        ask = f"SELECT {columns}, ({_PERMISSIONS.format(all=line)}) AS held FROM auth_user person WHERE id = %(user)s"  # noqa: S608  # our own text
        found = next(iter(User.objects.raw(ask, {"user": user_id})), None)
        if found is None or not self.user_can_authenticate(found):
            return None
        held = set((found.__dict__.pop("held") or "").split())
        if not found.is_superuser:  # who may everything, listed or not
            found.__dict__["_perm_cache"] = held
        return found

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        person: User | AnonymousUser = user_obj
        if not isinstance(person, User) or not person.is_active or person.is_superuser or obj is not None:
            return super().get_all_permissions(user_obj, obj)
        held: set[str] | None = person.__dict__.get("_perm_cache")
        if held is None:
            known = self.get_user(person.pk)
            held = known.__dict__.get("_perm_cache", set()) if known else set()
            person.__dict__["_perm_cache"] = held
        return held
