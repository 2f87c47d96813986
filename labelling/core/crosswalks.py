"""How the classes of other datasets map to our types, and the mappings of their files that ship.

A table gives a code for each value that a dataset uses, or None where the value says nothing about the axis.
A value that a table does not know leaves the row without a type and is counted, so that a gap shows.
"""

from collections.abc import Mapping
from typing import Any

Table = Mapping[str, Mapping[str, str | None]]
"""axis -> value, in lower case -> code, or None."""


def _lines(text: str) -> dict[str, str | None]:
    """Read ``code: value, value, ...`` lines; the code ``-`` stands for None."""
    found: dict[str, str | None] = {}
    for line in text.strip().splitlines():
        code, _, values = line.partition(":")
        for value in values.split(","):
            found[value.strip().casefold()] = None if code.strip() == "-" else code.strip()
    return found


# What people write in a column ``mine_type`` besides codes and names.
SYNONYMS: Mapping[str, str | None] = _lines(
    """
    tailings_storage_facility: tailings, tailing, tsf, tailings dam, tailings pond, tailings storage
    open_pit: pit, open-pit, open cast, opencast, open cut, quarry, mine pit
    waste_rock_dump: waste rock, dump, waste dump, spoil, spoil heap, overburden, overburden dump
    heap_leach_pad: heap leach, heap leaching, leach pad, leaching pad
    pond: water pond, evaporation pond, settling pond, process pond
    processing_plant: plant, mill, smelter, concentrator, refinery
    facility_stockyard: facility, facilities, mine facility, stockyard, stockpile, infrastructure
    artisanal_diggings: artisanal, asm, diggings, small scale, garimpo
    """
)

# What tables of mines write into a column of one axis: the signs of elements, and words of other languages.
_COMMODITIES = _lines(
    """
    copper: cu, cobre
    gold: au, oro, ouro
    silver: ag, plata, prata
    iron: fe, iron ore, hierro, ferro
    cobalt: co, cobalto
    nickel: ni, níquel
    lead_zinc: zn, pb, zinc, lead, pb-zn, pb/zn
    molybdenum: mo, molibdeno
    lithium: li, litio
    manganese: mn, manganeso, manganês
    tin: sn, estaño, estanho
    tungsten: w, wolfram
    uranium: u, u3o8
    coal: carbón, carvão, lignite, thermal coal
    bauxite: al, aluminium, aluminum
    phosphate: p2o5, fosfato
    platinum_group: pge, pgm, pt, pd
    chromium: cr, chromite
    rare_earths: ree
    """
)
_METHODS = _lines(
    """
    surface: op, open pit, open-pit, opencast, open cast, open cut, tajo abierto, a céu aberto, op & ug, op->ug, ug & op
    underground: ug, subterránea, subterrânea
    """
)
WORDS: Table = {"commodity": _COMMODITIES, "method": _METHODS}

TABLES: Mapping[str, Table] = {
    "lames": {
        "feature": _lines(
            """
            heap_leach_pad: 3
            facility_stockyard: 4, 7
            open_pit: 5
            processing_plant: 6
            tailings_storage_facility: 8
            waste_rock_dump: 9
            -: 0
            """
        )
    },
    "gem": {"method": _lines("surface: surface, underground and surface\nunderground: underground")},
    "usgs": {
        "feature": _lines(
            """
            processing_plant: mineral processing plants
            -: mines and quarries, brine, oil and gas fields
            -: oil and gas refineries and (or) petrochemical complexes
            """
        ),
        "method": _lines(
            """
            brine: brine
            -: mines and quarries, mineral processing plants, oil and gas fields
            -: oil and gas refineries and (or) petrochemical complexes
            """
        ),
        "commodity": _lines(
            """
            gold: gold
            copper: copper
            cobalt: cobalt
            iron: iron, iron ore, iron and steel, ferrosilicon
            coal: coal, coke, peat
            bauxite: bauxite, alumina, aluminum
            nickel: nickel
            tin: tin
            lithium: lithium
            manganese: manganese, ferromanganese
            phosphate: phosphate
            diamond: diamond
            silver: silver
            lead_zinc: lead, zinc
            molybdenum: molybdenum
            uranium: uranium
            rare_earths: rare earth elements (ree)
            platinum_group: platinum-group elements (pge), platinum, palladium, rhodium, iridium, ruthenium
            chromium: chromium
            niobium: niobium (columbium), tantalum, niobium (columbium) and tantalum
            niobium: tantalum and niobium (columbium)
            titanium: titanium, zirconium, hafnium
            tungsten: tungsten
            graphite: graphite
            salts: salt, halite, potash, soda ash, soda, sodium sulfate, caustic soda, bromine
            gemstones: gemstone, gem, gem (emerald), gem (sapphire), gem (ruby), gem (peridot), semiprecious
            gemstones: sapphire, ruby, garnet, tanzanite, tourmaline, amethyst, opal, aquamarine, emerald
            gemstones: agate, amazonite, topaz, labradorite
            industrial: cement, stone, clay, clay (kaolin), clay (bentonite), barite, aggregates, lime, gypsum
            industrial: quartz, pumice, talc, silica, mica, fluorspar, fluorite, feldspar, vermiculite, diatomite
            industrial: andalusite, dolomite, limestone, limestone (marble), limestone (dolomite), sand, sandstone
            industrial: gravel, calcium carbonate, bricks, glass, glass sand, wollastonite, asbestos, perlite
            industrial: basalt, glasswool, rockwool, sulfur, pyrite
            other_commodity: vanadium, selenium, tellurium, germanium, arsenic, beryllium, antimony, magnesium
            other_commodity: bismuth, gallium, indium, mercury, strontium, silicon, carbon
            -: petroleum, natural gas, petroleum gas, nitrogen, methanol, helium, synthetic fuels, asphalt
            """
        )
        | {  # values with a comma of their own
            "gem (ruby, sapphire)": "gemstones",
            "gem (beryl,  aquamarine)": "gemstones",
            "gem (tourmaline, garnet, aquamarine, topaz)": "gemstones",
            "gem (aquamarine, amethyst)": "gemstones",
            "limestone (marble, dolomite)": "industrial",
        },
    },
    "anm": {
        "commodity": _lines(
            """
            iron: minério de ferro, itabirito, hematita
            gold: minério de ouro primário, minério de ouro secundário, rocha aurífera, aluvião aurífero
            copper: minério de cobre
            phosphate: fosfato, rocha fosfática
            tin: minério de estanho primário, minério de estanho secundário, aluvião estanífero
            manganese: minério de manganês
            nickel: minério de níquel
            chromium: cromita, minério de cromo
            bauxite: bauxita grau metalúrgico, bauxita grau não metalúrgico
            niobium: minério de nióbio
            coal: carvão mineral, carvão mineral camada bonito, carvão mineral camada barro branco
            lead_zinc: minério de zinco
            diamond: rocha diamantífera
            gemstones: aluvião com gemas, minério com gemas
            salts: sais, silvanita
            other_commodity: minério de vanádio
            industrial: argila, argila arenosa, argila refratária, argila caulinítica, caulim, bentonita
            industrial: areia, areia e cascalho, areia industrial, areia quartzosa, cascalho, saibro
            industrial: calcário, calcário dolomítico, dolomito, rocha carbonática, magnesita
            industrial: granito, granulito gnaisse, filito, arenito, quartzito, serpentinito, xisto, pegmatito
            industrial: agalmatolito, vermiculita, fluorita
            -: sedimento
            """
        )
    },
    "jasansky": {
        "feature": _lines(
            "artisanal_diggings: artisanal\npond: brine & evaporation pond\n-: industrial, surface, placer, underground"
        ),
        "method": _lines(
            """
            surface: surface
            underground: underground
            placer: placer
            brine: brine & evaporation pond
            industrial_method: industrial
            artisanal: artisanal
            """
        ),
    },
}

_TSF = "tailings_storage_facility"
MAPPINGS: Mapping[str, Mapping[str, Any]] = {
    "lames": {"feature": {"column": "class", "table": "lames"}},
    "lames-sites": {
        "id": "ID",
        "name": "Name_Mine",
        "place": {"lat": "Latitude", "lon": "Longitude"},
        "commodity": {"column": "Metal/Commodity"},
        "method": {"column": "Type [OP/UG]"},
        "not_mine": {"Status": ["landfill - no mining operation"]},
    },
    "gem": {
        "id": "id",
        "name": "Mine Name",
        "commodity": {"value": "coal"},
        "method": {"column": "mine feature subcategory", "table": "gem"},
    },
    "usgs": {
        "id": "FeatureUID",
        "name": "FeatureNam",
        "leave_out": {"FeatureTyp": ["Oil and Gas Fields", "Oil and Gas Refineries and (or) Petrochemical Complexes"]},
        "feature": {"column": "FeatureTyp", "table": "usgs"},
        "commodity": {"column": "DsgAttr02", "table": "usgs"},
        "method": {"column": "FeatureTyp", "table": "usgs"},
    },
    "usgs-deposits": {
        "id": "FeatureUID",
        "name": "FeatureNam",
        "commodity": [{"column": f"DsgAttr0{rank}", "table": "usgs"} for rank in range(1, 9)],
    },
    "anm": {
        "id": "ID_BARRAGEM",
        "name": "NOME DA BARRAGEM DE MINERAÇÃO",
        "place": {"lat": "LATITUDE", "lon": "LONGITUDE"},
        "feature": {"value": _TSF},
        "commodity": {"column": "MINÉRIO PRINCIPAL", "table": "anm"},
    },
    "jasansky": {
        "join": {"layer": "tiles", "on": "tile_id"},
        "id": "tile_id",
        "feature": [{"column": column, "table": "jasansky"} for column in ("minetype2", "minetype1")],
        "method": [{"column": column, "table": "jasansky"} for column in ("minetype1", "minetype2")],
    },
}
