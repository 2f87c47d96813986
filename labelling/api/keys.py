"""Endpoint of one's own keys on the review screen."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labelling.api.answers import Answer
from labelling.api.base import ReviewView
from labelling.api.serializers import Strict
from labelling.api.views import ERRORS
from labelling.core.errors import BadInput
from labelling.core.keymaps import read_keymap
from labelling.services.keymaps import keymap_of, save_keymap


@extend_schema_field(OpenApiTypes.OBJECT)
class KeysField(serializers.Field[dict[str, str], Any, dict[str, str], Any]):
    """Action -> place on the keyboard (KeyboardEvent.code), each place once."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        try:
            return read_keymap(data)
        except BadInput as error:
            raise serializers.ValidationError(str(error)) from error

    def to_representation(self, value: dict[str, str]) -> dict[str, str]:
        return value


class KeysIn(Strict):
    keys = KeysField()


class KeysOut(Answer):
    keys = serializers.DictField(child=serializers.CharField())


class Keys(ReviewView):
    permissions = {"GET": "labelling.add_decision", "PUT": "labelling.add_decision"}

    @extend_schema(operation_id="show_own_keys", responses={200: KeysOut} | {code: ERRORS[code] for code in (401, 403)})
    def get(self, request: Request) -> Response:
        """One's own keys; empty where all are as usual."""
        return Response({"keys": keymap_of(user=self.user)})

    @extend_schema(
        operation_id="save_own_keys",
        request=KeysIn,
        responses={200: KeysOut} | {code: ERRORS[code] for code in (400, 401, 403)},
    )
    def put(self, request: Request) -> Response:
        """Keep one's own keys in place of those before."""
        sent = self.checked(KeysIn, request.data)
        return Response({"keys": save_keymap(user=self.user, keys=sent["keys"])})
