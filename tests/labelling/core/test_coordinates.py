import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelling.core.coordinates import LAT, LON, LooseMinutes, read_angle
from labelling.core.errors import BadGeometry


@pytest.mark.parametrize(
    ("text", "axis", "degrees", "side"),
    [
        ("52°52?35?S", LAT, -52.87639, "S"),  # as the Chile file has it: the marks are lost
        ("71°38?28? W", LON, -71.64111, "W"),
        ("33° 8' 57'' S", LAT, -33.14917, "S"),
        (" 22°23'00\"S", LAT, -22.38333, "S"),
        ("28° 18' S", LAT, -28.3, "S"),
        ("33.09°S", LAT, -33.09, "S"),
        ("70.81°", LON, 70.81, ""),
        ("-0°44'00.100\"", LAT, -0.73336, ""),
        ("−33,4569", LAT, -33.4569, ""),
        ("52,875", LAT, 52.875, ""),
        ("S 33.5", LAT, -33.5, "S"),
        ("Sul 33", LAT, -33, "S"),
        ("70 30 15 O", LON, -70.50417, "W"),
        ("70d30m15sW", LON, -70.50417, "W"),
        ("33d30m15s", LAT, 33.50417, ""),  # the seconds, not the south
        ("33:30:15S", LAT, -33.50417, "S"),
        ("-33.5 S", LAT, -33.5, "S"),
        ("-44°05'60.000\"", LON, -44.1, ""),  # sixty is what rounding up leaves
        ("0", LAT, 0, ""),
    ],
)
def test_coordinates_are_read_as_people_write_them(text: str, axis: str, degrees: float, side: str) -> None:
    angle = read_angle(text, axis)
    assert angle.degrees == pytest.approx(degrees, abs=1e-5)
    assert angle.side == side


@pytest.mark.parametrize(
    ("text", "axis", "reason"),
    [
        ("°21'05.800\"", LAT, "the degrees are missing"),
        ("-", LAT, "it cannot be read"),
        ("N/A", LON, "it cannot be read"),
        ("1e5", LON, "it cannot be read"),
        ("1.234.567,8", LAT, "it cannot be read"),
        ("33.5 10.5", LAT, "it is more than one number"),
        ("70°W", LAT, "it says west: are latitude and longitude swapped?"),
        ("-70°E", LON, "it has a minus and says east"),
        ("9" * 100_000, LON, "it cannot be read"),
        ("1" + " " * 100_000 + "x", LON, "it cannot be read"),
        ("نقطة", LAT, "it cannot be read"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, axis: str, reason: str) -> None:
    with pytest.raises(BadGeometry, match=reason) as caught:
        read_angle(text, axis)
    assert len(str(caught.value)) < 200


def test_minutes_above_sixty_are_refused_or_read_as_decimals() -> None:
    with pytest.raises(LooseMinutes, match="84 minutes, but a degree has sixty"):
        read_angle("25° 84' S", LAT)
    with pytest.raises(LooseMinutes, match="75 seconds, but a minute has sixty"):
        read_angle("25° 4' 75'' S", LAT, minutes_as_decimals=True)
    assert read_angle("25° 84' S", LAT, minutes_as_decimals=True).degrees == -25.84
    assert read_angle("25° 30' S", LAT, minutes_as_decimals=True).degrees == -25.5


MARKS = st.sampled_from(
    [("°", "'", '"'), ("° ", "' ", "''"), ("?", "?", "?"), (" ", " ", ""), (":", ":", ""), ("º", "′", "″")]
)


@given(
    seconds=st.integers(0, 180 * 3600), side=st.sampled_from(["E", "W", "e", "w", "O", "Oeste", "L"]), marks=MARKS,
    gap=st.sampled_from(["", " "]), before=st.booleans(),
)  # fmt: skip
def test_whatever_is_written_in_degrees_minutes_seconds_comes_back(
    seconds: int, side: str, marks: tuple[str, str, str], gap: str, before: bool
) -> None:
    body = f"{seconds // 3600}{marks[0]}{seconds // 60 % 60}{marks[1]}{seconds % 60}{marks[2]}"
    text = f"{side} {body}" if before else f"{body}{gap or ' ' * (marks[2] == '')}{side}"
    west = side.casefold() in {"w", "o", "oeste"}
    assert read_angle(text, LON).degrees == pytest.approx((-1 if west else 1) * seconds / 3600, abs=1e-9)


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        assert abs(read_angle(text, LAT).degrees) < 1e10
    except BadGeometry as error:
        assert "latitude" in error.reason
