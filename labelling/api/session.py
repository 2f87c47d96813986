"""Who is asking: apart from the rest, because the framework reads it while it is being imported itself."""

from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request


class SignedIn(SessionAuthentication):
    """Session and CSRF token. An expired session answers 401, so that the browser keeps its outbox and logs in."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"
