"""Prints a page with the tables of its figures computed anew: figures.py PAGE. Without a page, all tables.

A table stands between the lines `<!-- figures: NAME -->` and `<!-- end of figures -->`.
"""

import pathlib
import re
import sys

import lwe
import noise
import row_check
import traffic

TABLES = {
    "causes": noise.causes,
    "noise": noise.committees,
    "security": lwe.committees,
    "rows": row_check.bounds,
    "hints": row_check.hints,
    "aborts": row_check.false_aborts,
    "traffic": traffic.committees,
}
PLACE = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end of figures -->\n)", re.DOTALL)


def markdown(rows):
    head, *body = [f"| {' | '.join(row)} |\n" for row in rows]
    return head + "|---" * (head.count(" | ") + 1) + "|\n" + "".join(body)


def filled(page):
    return PLACE.sub(lambda place: place[1] + markdown(TABLES[place[2]]()) + place[3], page)


def empty_page():
    return "".join(f"<!-- figures: {name} -->\n<!-- end of figures -->\n" for name in TABLES)


if __name__ == "__main__":
    page = pathlib.Path(sys.argv[1]).read_text() if len(sys.argv) > 1 else empty_page()
    sys.stdout.write(filled(page))
