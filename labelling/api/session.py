"""Who is asking: apart from the rest, because the framework reads it while it is being imported itself."""

from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

REVIEWER = "X-Reviewer"


class SignedIn(SessionAuthentication):
    """Session and CSRF token. An expired session answers 401, so that the browser keeps its outbox and logs in.

    All tabs of a browser share one session. A page that names the person it was made for is answered only while
    that person is logged in: what one decided is never taken as the decision of who logged in after.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        signed_in = super().authenticate(request)
        named = request.headers.get(REVIEWER)
        if signed_in and named is not None and named != str(signed_in[0].pk):
            raise AuthenticationFailed("somebody else is logged in here now")
        return signed_in

    def authenticate_header(self, request: Request) -> str:
        return "Session"
