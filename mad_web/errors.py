"""The one map from an error of the rooms to an HTTP status."""

from http import HTTPStatus
from typing import Any

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


def handle_api_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an error of the rooms into ``{"error": text}``, with the newer state where there is one."""
    status = status_of(error)
    if status is None:
        return exception_handler(error, context)
    body: dict[str, object] = {"error": str(error)}
    if isinstance(error, Conflict):
        body["current"] = error.current
    return Response(body, status=status)
