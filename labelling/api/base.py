"""What every endpoint shares: who may, what JSON is taken, and that no answer is kept by a cache unasked."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from django.contrib.auth.models import User
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from labelling.api.session import SignedIn
from labelling.models import Campaign
from labelling.services.campaigns import find_campaign

MAX_DEPTH = 32


@lru_cache
def _form(kind: type[Serializer[Any]]) -> Serializer[Any]:
    """A form keeps nothing of what it has checked, and building its fields takes longer than checking them."""
    return kind()


class SignedInScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = SignedIn
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class StrictJSONParser(JSONParser):
    """JSON of bounded depth, without NaN or Infinity."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        try:
            value = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("the JSON is nested too deeply") from error
        if not _is_shallow(value):
            raise ParseError(f"the JSON is nested deeper than {MAX_DEPTH} levels")
        if not isinstance(value, dict):
            raise ParseError("send a JSON object")
        return value


def _is_shallow(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for one in level
            if isinstance(one, dict | list)
            for child in (one.values() if isinstance(one, dict) else one)
            if isinstance(child, dict | list)
        ]
        if not level:
            return True
    return False


class MayDo(BasePermission):
    """Who holds the permission that the endpoint names for the method; a method that is not named is refused."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        wanted = cast("ReviewView", view).permissions.get(request.method or "")
        return wanted is not None and bool(request.user and request.user.has_perm(wanted))


class ReviewView(APIView):
    authentication_classes = [SignedIn]
    parser_classes = [StrictJSONParser]
    permission_classes = [MayDo]
    permissions: Mapping[str, str] = {}
    caching = "private, no-store"

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = self.caching if final.status_code < 400 else ReviewView.caching
        return final

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def checked(self, kind: type[Serializer[Any]], data: Any) -> dict[str, Any]:
        """What was sent, checked by a serializer.

        Raises:
            ValidationError: a field is wrong.
        """
        return dict(_form(kind).run_validation(data))

    def campaign(self, slug: str | None) -> Campaign | None:
        """The campaign that was named; one that has been closed still takes what was decided in it."""
        return find_campaign(user=self.user, slug=slug, or_closed=True) if slug else None
