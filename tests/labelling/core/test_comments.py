import pytest

from labelling.core.comments import MAX_MENTIONS, names_mentioned


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@lea please look", {"lea"}),
        ("ask @lea, @ben.", {"lea", "ben.", "ben"}),
        ("(@ana.b-c)", {"ana.b-c"}),
        ("mail lea@example.org", set()),
        ("nobody @ all @", set()),
        ("@Örjan?", {"Örjan"}),
        ("@lea @lea", {"lea"}),
    ],
)
def test_names_are_found_where_somebody_is_addressed(text: str, names: set[str]) -> None:
    assert set(names_mentioned(text)) == names


def test_nobody_shouts_at_everybody() -> None:
    assert len(names_mentioned(" ".join(f"@p{number}" for number in range(100)))) == MAX_MENTIONS
