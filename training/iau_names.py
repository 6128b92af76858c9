"""Make the small file of IAU names that comes with Almagest from the gazetteer.

``python -m training.iau_names --data DIR`` reads ``DIR/planet_maps/iau_nomenclature.csv`` (body, id, name,
type, latitude, east longitude, diameter in km) and writes ``core/surfaces/iau_names.csv.gz``: every feature
once (of two rows with one id the first), sorted, with degrees to a thousandth. Running it twice gives the
same bytes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
from pathlib import Path

from core.surfaces.nomenclature import COLUMNS, NAMES


def remade(source: Path) -> bytes:
    """The compressed file, from the gazetteer's table."""
    with source.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
        features = {(row["body"], row["id"]): row for row in reversed(rows)}
        table = sorted(
            (
                row["body"],
                row["type"],
                row["name"],
                f"{float(row['lat_deg']):.3f}",
                f"{(float(row['lon_east_deg']) + 180.0) % 360.0 - 180.0:.3f}",
                f"{float(row['diameter_km'] or 0.0):.4g}",
            )
            for row in features.values()
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(table)
    return gzip.compress(text.getvalue().encode(), 9, mtime=0)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the data for training")
    source = parser.parse_args().data / "planet_maps" / "iau_nomenclature.csv"
    NAMES.write_bytes(remade(source))
    print(f"{NAMES.name}: {NAMES.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
