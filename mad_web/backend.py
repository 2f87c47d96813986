"""Who may what, asked of the database once a request."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection

# Django asks for a person's own permissions and for those of their groups apart, and composes both anew each time.
_PERMISSIONS = """
    SELECT app.app_label, permission.codename
    FROM auth_permission permission JOIN django_content_type app ON app.id = permission.content_type_id
    WHERE permission.id IN (
        SELECT permission_id FROM auth_user_user_permissions WHERE user_id = %(user)s
        UNION ALL
        SELECT granted.permission_id FROM auth_group_permissions granted
        JOIN auth_user_groups member ON member.group_id = granted.group_id WHERE member.user_id = %(user)s)"""


class Backend(ModelBackend):
    """Django's own, with every permission of a person in one question."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        person: User | AnonymousUser = user_obj
        if not isinstance(person, User) or not person.is_active or person.is_superuser or obj is not None:
            return super().get_all_permissions(user_obj, obj)
        held: set[str] | None = person.__dict__.get("_perm_cache")
        if held is None:
            with connection.cursor() as cursor:
                cursor.execute(_PERMISSIONS, {"user": person.pk})
                held = {f"{app}.{name}" for app, name in cursor.fetchall()}
            person.__dict__["_perm_cache"] = held
        return held
