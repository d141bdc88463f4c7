# SPDX-License-Identifier: MIT
"""Add up how many people use each language, from the territories of the Unicode CLDR.

    pip download --no-deps language_data==1.4.0
    python examples/data/make_languages.py language_data-1.4.0-py3-none-any.whl

Nothing is downloaded here. The same wheel, which carries CLDR's own `supplementalData.xml`, gives the same
bytes.

For each territory CLDR gives a population and, per language, the percentage that uses it. Their product, in
exact decimal arithmetic, is added over territories and rounded half up once at the end. Where a territory
lists one language in several scripts, the largest percentage counts: CLDR's shares of scripts overlap
(Serbian: 99 % Cyrillic, 99 % Latin). Left out are "und" (language not known) and languages with less than
half a person.
"""

import re
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from xml.etree import ElementTree as ET

from sources import arguments, read_members, write_csv

WHEEL_SHA256 = "f741927c24ab14cbed2a57bc2bfe82b00cff266c427179597e8b14123364f084"
MEMBER = "language_data/data/supplementalData.xml"

# The English names stand in comments, each behind its entry.
NAMED = re.compile(r'<languagePopulation type="(\w+)"[^>]*/>\s*<!--\s*(.*?)\s*-->')

Row = tuple[str, str, int]


def shares(territory: ET.Element) -> dict[str, Decimal]:
    """Return the percentage of a territory's people per language, scripts taken together."""
    percent: dict[str, Decimal] = {}
    for entry in territory.findall("languagePopulation"):
        language = entry.attrib["type"].partition("_")[0]
        percent[language] = max(percent.get(language, Decimal(0)), Decimal(entry.attrib["populationPercent"]))
    return percent


def names(xml: str) -> dict[str, str]:
    """Return the English name of each language; a script in brackets is taken off."""
    found: dict[str, str] = {}
    for code, name in NAMED.findall(xml):
        language, _, script = code.partition("_")
        if not script or language not in found:
            found[language] = name.partition(" (")[0] if script else name
    return found


def table(xml: str) -> list[Row]:
    """Return (code, English name, people who use the language), the most used first, ties by code."""
    people: defaultdict[str, Decimal] = defaultdict(Decimal)
    for territory in ET.fromstring(xml.encode("utf-8")).findall("./territoryInfo/territory"):
        population = Decimal(territory.attrib["population"])
        for language, percent in shares(territory).items():
            people[language] += population * percent / 100
    people.pop("und", None)
    name = names(xml)
    rows = ((code, name[code], int(n.quantize(Decimal(1), ROUND_HALF_UP))) for code, n in people.items())
    return sorted((row for row in rows if row[2] > 0), key=lambda row: (-row[2], row[0]))


def main() -> None:
    """Write the table and say what is in it."""
    given = arguments("Add up the people who use each language.", "languages.csv")
    xml = read_members(given.wheel, WHEEL_SHA256, MEMBER, "")[MEMBER]
    rows = table(xml)
    digest = write_csv(given.out, ("code", "language", "people"), rows)
    print(f"{len(rows)} languages, {sum(row[2] for row in rows)} people counted once per language they use")
    print(f"{digest}  {given.out.name}")


if __name__ == "__main__":
    main()
