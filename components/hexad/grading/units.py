"""Units of measurement: splitting them off an answer, and conversion between those of one dimension."""

import re
from fractions import Fraction

# Unit to (dimension, factor to the dimension's first unit). Exact definitions of SI and the international yard/pound.
_TABLE: dict[str, dict[str, str]] = {
    "length": {"m": "1", "km": "1000", "dm": "1/10", "cm": "1/100", "mm": "1/1000",
               "µm": "1/1000000", "nm": "1/1000000000",
               "in": "254/10000", "ft": "3048/10000", "yd": "9144/10000", "mi": "1609344/1000"},
    "mass": {"kg": "1", "g": "1/1000", "mg": "1/1000000", "t": "1000", "lb": "45359237/100000000",
             "oz": "28349523125/1000000000000"},
    "time": {"s": "1", "ms": "1/1000", "min": "60", "h": "3600", "day": "86400", "week": "604800", "year": "31557600"},
    "area": {"m^2": "1", "cm^2": "1/10000", "mm^2": "1/1000000", "km^2": "1000000", "ha": "10000"},
    "volume": {"m^3": "1", "L": "1/1000", "mL": "1/1000000", "cm^3": "1/1000000", "dm^3": "1/1000"},
    "speed": {"m/s": "1", "km/h": "10/36", "cm/s": "1/100", "km/s": "1000"},
    "acceleration": {"m/s^2": "1"}, "force": {"N": "1", "kN": "1000", "mN": "1/1000"},
    "energy": {"J": "1", "kJ": "1000", "MJ": "1000000", "mJ": "1/1000", "kWh": "3600000", "cal": "4184/1000",
               "kcal": "4184"},
    "power": {"W": "1", "kW": "1000", "MW": "1000000", "mW": "1/1000"},
    "pressure": {"Pa": "1", "kPa": "1000", "MPa": "1000000", "bar": "100000", "atm": "101325"},
    "potential": {"V": "1", "kV": "1000", "mV": "1/1000"}, "current": {"A": "1", "mA": "1/1000"},
    "resistance": {"ohm": "1", "kohm": "1000"}, "charge": {"C": "1", "mC": "1/1000", "µC": "1/1000000"},
    "frequency": {"Hz": "1", "kHz": "1000", "MHz": "1000000"}, "temperature": {"K": "1"},
    "amount": {"mol": "1", "mmol": "1/1000"},
    "density": {"kg/m^3": "1", "g/cm^3": "1000"}, "momentum": {"kg*m/s": "1"}, "concentration": {"mol/L": "1"},
    "money": {"dollar": "1", "cent": "1/100"}, "angle": {"degree": "1"},
}  # fmt: skip
_UNITS = {unit: (dimension, Fraction(factor)) for dimension, units in _TABLE.items() for unit, factor in units.items()}
_ALIASES = {
    "meter": "m", "metre": "m", "kilometer": "km", "kilometre": "km", "centimeter": "cm", "centimetre": "cm",
    "millimeter": "mm", "millimetre": "mm", "inch": "in", "inches": "in", "foot": "ft", "feet": "ft", "yard": "yd",
    "mile": "mi", "kilogram": "kg", "gram": "g", "milligram": "mg", "ton": "t", "tonne": "t", "pound": "lb",
    "lbs": "lb", "ounce": "oz", "second": "s", "sec": "s", "minute": "min", "hour": "h", "hr": "h", "liter": "L",
    "litre": "L", "l": "L", "ml": "mL", "milliliter": "mL", "newton": "N", "joule": "J", "kilojoule": "kJ", "watt": "W",
    "kilowatt": "kW", "pascal": "Pa", "volt": "V", "ampere": "A", "amp": "A", "hertz": "Hz", "kelvin": "K",
    "mole": "mol", "coulomb": "C", "$": "dollar", "usd": "dollar", "¢": "cent", "μm": "µm", "um": "µm", "°": "degree",
    "deg": "degree", "Ω": "ohm", "mph": "mi/h", "kph": "km/h", "kmh": "km/h", "m²": "m^2", "m³": "m^3", "cm²": "cm^2",
    "cm³": "cm^3", "cc": "cm^3", "Ns": "kg*m/s", "N*s": "kg*m/s", "M": "mol/L",
}  # fmt: skip
_COUNTED = {"year": "year", "yr": "year", "day": "day", "week": "week", "month": "month"}

MAX_SPLIT = 300  # characters; the patterns below take quadratic time on long runs of blanks
_BRACED = r"\\(?:text|mathrm|textrm|mbox|operatorname|rm)\s*\{([^{}]*)\}((?:\^\{?-?\d\}?)?)"
_TRAILING_BRACED = re.compile(rf"(.*?[\d)}}\]%])\s*(?:\\[,;:! ]|~)*\s*{_BRACED}\s*\.?\s*$", re.DOTALL)
_ATOM = r"(?:[A-Za-zµμΩ°²³]+(?:\^?\{?-?\d\}?)?)"
_TRAILING_PLAIN = re.compile(rf"(.*[\d)}}\]])\s*({_ATOM}(?:\s*(?:/|\*|·|\\cdot)\s*{_ATOM})*)\s*\.?\s*$", re.DOTALL)
_CURRENCY = re.compile(r"^\s*([-−]?)\s*(?:\\?\$)\s*(?=[-−]?[\d.])")


def split_unit(text: str, plain: bool = True, asked: str | None = None) -> tuple[str, str | None]:
    """("5 cm") to ("5", "cm"); a unit in \\text{} may be any word, one in plain letters must be known,
    or be the canonical unit `asked` for: a gold may count anything, "116 legs".

    `plain` False leaves plain letters alone: beside symbols, "(x+1) h" is a product.
    """
    if len(text) <= MAX_SPLIT:
        text = re.sub(r"\\pmod\s*(\{[^{}]*\}|\d+)\s*$|\(\s*(?:\\bmod|\\mod|mod)\s*\d+\s*\)\s*$", "", text)
    currency = _CURRENCY.match(text)
    if currency:
        return currency.group(1) + text[currency.end() :], "dollar"
    braced = _TRAILING_BRACED.match(text) if len(text) <= MAX_SPLIT else None
    if braced and not re.search(r"\b(?:or|and)\b", braced[2]):
        unit = canonical_unit(braced[2] + braced[3])
        return (braced[1], unit) if unit else (text, None)
    trailing = _TRAILING_PLAIN.match(text) if plain and len(text) <= MAX_SPLIT else None
    if trailing and ("\\" not in trailing[2] or "cdot" in trailing[2]):
        unit = canonical_unit(trailing[2])
        separated = len(trailing[2]) > 1 or text[len(trailing[1]) : len(trailing[1]) + 1].isspace()
        if unit and separated and (unit in _UNITS or unit in _COUNTED.values() or unit == asked):
            return trailing[1], unit
    return text, None


def canonical_unit(text: str) -> str | None:
    """One spelling a unit: no blanks, singular, abbreviated, powers as ^n. None for an empty text."""
    text = re.sub(r"\\cdot|·", "*", text.replace("\\", "\\")).replace("{", "").replace("}", "")
    text = re.sub(r"\bsquare (\w+)", r"\1^2", re.sub(r"\bcubic (\w+)", r"\1^3", text.strip().rstrip(".")))
    text = re.sub(r"\s+per\s+", "/", text)
    parts = [_one(part) for part in re.split(r"([/*^])", re.sub(r"\s*([/*^])\s*", r"\1", text))]
    return _ALIASES.get("".join(parts), "".join(parts)) or None


def _one(name: str) -> str:
    name = name.strip()
    for candidate in (name, name.casefold(), name.casefold().removesuffix("s")):
        if candidate in _UNITS and candidate != "in":
            return candidate
        if candidate in _ALIASES:
            return _ALIASES[candidate]
        if candidate in _COUNTED:
            return _COUNTED[candidate]
    return name.casefold().removesuffix("s")


def factor(unit: str, to: str) -> Fraction | None:
    """What a number of `unit` is multiplied by to be in `to`; None when they do not measure the same."""
    if unit == to:
        return Fraction(1)
    if unit in _UNITS and to in _UNITS and _UNITS[unit][0] == _UNITS[to][0]:
        return _UNITS[unit][1] / _UNITS[to][1]
    return None
