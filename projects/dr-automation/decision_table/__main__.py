"""Write docs/decision-table.md, or compare it with the code: ``python -m decision_table [--check]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from decision_table.page import page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "decision-table.md"


def main() -> int:
    """0, or 1 where the page is not what the code says."""
    parser = argparse.ArgumentParser(prog="decisions", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is out of date")
    fresh = page()
    if not parser.parse_args().check:
        PAGE.write_text(fresh)
        return 0
    if PAGE.is_file() and PAGE.read_text() == fresh:
        return 0
    sys.stderr.write(f"{PAGE} = (out of date): run `nox -s decisions` and look at what changed\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
