"""Files that are too large are refused before a byte of them is read."""

from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

# The other fields of a form, and what separates them.
_MARGIN = 1_000_000


class LimitedUpload(FileUploadHandler):
    """Stands before the handler that writes to disk, and lets pass what is small enough."""

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: dict[str, str],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        """Look at the size that the request declares; the server reads no more than that."""
        if content_length > settings.SEED_UPLOAD_BYTES + _MARGIN:
            msg = f"more than {settings.SEED_UPLOAD_BYTES // 10**6} MB"
            raise RequestDataTooBig(msg)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Hand it on."""
        return raw_data

    def file_complete(self, file_size: int) -> Any:
        """The next handler has the file."""
        return None
