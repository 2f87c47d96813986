"""The description of the API is whole, and true."""

from io import StringIO

from django.core.management import call_command


def test_the_description_of_the_api_has_no_warning() -> None:
    out = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    assert "operationId: submit_decision" in out.getvalue()
