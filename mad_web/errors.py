"""The one map from an error of the rooms to an HTTP status."""

from http import HTTPStatus
from typing import Any

from django.db import OperationalError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from inference.core.errors import InferenceError
from labelling.core.errors import (
    BadInput,
    Conflict,
    KeyReused,
    LabellingError,
    NotAllowed,
    NotFound,
    TryLater,
)
from training.core.errors import TrainingError

STATUS: dict[type[Exception], HTTPStatus] = {
    BadInput: HTTPStatus.BAD_REQUEST,
    Conflict: HTTPStatus.CONFLICT,
    KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    NotAllowed: HTTPStatus.FORBIDDEN,
    TryLater: HTTPStatus.SERVICE_UNAVAILABLE,
    LabellingError: HTTPStatus.BAD_REQUEST,
    InferenceError: HTTPStatus.BAD_REQUEST,
    TrainingError: HTTPStatus.BAD_REQUEST,
}


def status_of(error: Exception) -> HTTPStatus | None:
    """Find the status of the nearest class of the error; None for an error that nobody expected."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)


def _in_our_words(response: Response | None) -> Response | None:
    """Give the framework's own errors the same shape; the fields at fault stay beside the text."""
    if response is None:
        return None
    detail = response.data
    if isinstance(detail, dict) and set(detail) == {"detail"}:
        response.data = {"error": str(detail["detail"])}
    else:
        response.data = {"error": _first_fault(detail), "fields": detail}
    return response


def _first_fault(detail: object) -> str:
    """Name the first field that is wrong, and why."""
    if isinstance(detail, dict) and detail:
        name, inner = next(iter(detail.items()))
        return f"{name}: {_first_fault(inner)}"
    if isinstance(detail, list) and detail:
        return _first_fault(next((one for one in detail if one), ""))
    return str(detail)


def handle_api_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an error of the rooms into ``{"error": text}``, with the newer state where there is one."""
    if isinstance(error, OperationalError):
        # The database is busy or away: nothing was acknowledged, and the browser sends it again.
        return Response({"error": "the server is busy: try again"}, status=503, headers={"Retry-After": "5"})
    status = status_of(error)
    if status is None:
        return _in_our_words(exception_handler(error, context))
    body: dict[str, object] = {"error": str(error)}
    if isinstance(error, Conflict):
        body["current"] = error.current
    return Response(body, status=status)
