"""Endpoint of what a reviewer waited for the next sites."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labelling.api.base import ReviewView
from labelling.api.serializers import Strict
from labelling.api.views import ERRORS
from labelling.core.waits import LONGEST_MS
from labelling.services.waits import add_waits


class WaitsIn(Strict):
    ms = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=LONGEST_MS),
        min_length=1,
        max_length=200,
        help_text="milliseconds from a press that decided to the next site painted with its imagery",
    )


class Waits(ReviewView):
    permissions = {"POST": "labelling.add_decision"}

    @extend_schema(
        operation_id="tell_waits",
        request=WaitsIn,
        responses={204: None} | {code: ERRORS[code] for code in (400, 401, 403)},
    )
    def post(self, request: Request) -> Response:
        """Tell how long one waited; the front page says how long all did."""
        add_waits(user=self.user, waits=self.checked(WaitsIn, request.data)["ms"])
        return Response(status=204)
