"""The mine types that ship, on three axes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TypeSpec:
    """One mine type.

    Attributes:
        code: stable name in files and APIs.
        name: what people read.
        axis: ``feature``, ``commodity`` or ``method``.
        color: ``#rrggbb`` from a colour-blind-safe set (Okabe-Ito first, then Tol).
        rank: order on the axis; the first nine have a digit key.
    """

    code: str
    name: str
    axis: str
    color: str
    rank: int


def _axis(axis: str, rows: str) -> tuple[TypeSpec, ...]:
    cells = [row.split("|") for row in rows.strip().splitlines()]
    return tuple(
        TypeSpec(code.strip(), name.strip(), axis, color.strip(), rank)
        for rank, (code, name, color) in enumerate(cells, start=1)
    )


FEATURES = _axis(
    "feature",
    """
    tailings_storage_facility | tailings storage facility | #E69F00
    open_pit                  | open pit                  | #D55E00
    waste_rock_dump           | waste rock dump           | #CC79A7
    heap_leach_pad            | heap leach pad            | #009E73
    pond                      | pond                      | #56B4E9
    processing_plant          | processing plant          | #F0E442
    facility_stockyard        | facility or stockyard     | #0072B2
    artisanal_diggings        | artisanal diggings        | #AA4499
    """,
)
COMMODITIES = _axis(
    "commodity",
    """
    gold            | gold                                       | #E69F00
    copper          | copper                                     | #D55E00
    cobalt          | cobalt                                     | #0072B2
    iron            | iron                                       | #CC79A7
    coal            | coal                                       | #555555
    bauxite         | bauxite and aluminium                      | #882255
    nickel          | nickel                                     | #009E73
    tin             | tin                                        | #56B4E9
    lithium         | lithium                                    | #F0E442
    manganese       | manganese                                  | #AA4499
    phosphate       | phosphate                                  | #44AA99
    diamond         | diamond                                    | #88CCEE
    silver          | silver                                     | #DDDDDD
    lead_zinc       | lead and zinc                              | #332288
    molybdenum      | molybdenum                                 | #117733
    uranium         | uranium                                    | #BBCC33
    rare_earths     | rare earths                                | #CC6677
    platinum_group  | platinum-group metals                      | #B4A7D6
    chromium        | chromium                                   | #663333
    niobium         | niobium and tantalum                       | #6699CC
    titanium        | titanium and zirconium (mineral sands)     | #DDCC77
    salts           | salts and potash                           | #FFAABB
    industrial      | industrial minerals, stone and aggregates  | #999933
    gemstones       | gemstones other than diamond               | #EE3377
    graphite        | graphite                                   | #225555
    tungsten        | tungsten                                   | #994455
    other_commodity | another commodity                          | #999999
    """,
)
METHODS = _axis(
    "method",
    """
    surface           | surface mining     | #D55E00
    underground       | underground mining | #0072B2
    placer            | placer mining      | #56B4E9
    brine             | brine extraction   | #009E73
    industrial_method | industrial scale   | #CC79A7
    artisanal         | artisanal scale    | #E69F00
    """,
)
TAXONOMY: tuple[TypeSpec, ...] = FEATURES + COMMODITIES + METHODS


def in_words(code: str) -> str:
    """Write a code as people say it: ``open_pit`` is open pit."""
    return code.replace("_", " ")
