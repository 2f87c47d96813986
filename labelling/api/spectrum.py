"""The endpoint of what the imagery says of a site."""

from typing import cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from labelling.api import answers, serializers
from labelling.api.base import ReviewView
from labelling.api.views import ERRORS
from labelling.services.evidence import find_evidence, measure_evidence


class SiteSpectrum(ReviewView):
    permissions = {"GET": "labelling.view_site"}
    # Asked again with the ETag each time: the answer follows the site and its neighbours, not only the address.
    caching = "private, no-cache"

    @extend_schema(
        operation_id="show_spectrum",
        parameters=[serializers.SpectrumQuery],
        responses={200: answers.SpectrumOut, 304: None, **ERRORS},
    )
    def get(self, request: Request, site_id: int) -> HttpResponseBase:
        """Reflectance per band inside a site and in the ring 30 to 150 m around it, without other sites."""
        asked = self.checked(serializers.SpectrumQuery, request.query_params.dict())
        evidence = find_evidence(user=self.user, site_id=site_id, scenes=asked["scene"])
        unchanged = get_conditional_response(cast(HttpRequest, request), etag=evidence.etag)
        response = unchanged or Response(measure_evidence(evidence=evidence))
        response["ETag"] = evidence.etag
        return response
