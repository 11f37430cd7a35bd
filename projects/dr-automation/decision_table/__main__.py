"""Write docs/decision-table.md and docs/phases.md, or compare them: ``python -m decision_table [--check]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from decision_table import page, phases

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = {DOCS / "decision-table.md": page.page, DOCS / "phases.md": phases.page}


def main() -> int:
    """0, or 1 where a page is not what the code says."""
    parser = argparse.ArgumentParser(prog="decisions", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page is out of date")
    check = parser.parse_args().check
    late = [file for file, fresh in PAGES.items() if not file.is_file() or file.read_text() != fresh()]
    for file in late:
        if check:
            sys.stderr.write(f"{file} = (out of date): run `nox -s decisions` and look at what changed\n")
        else:
            file.write_text(PAGES[file]())
    return 1 if check and late else 0


if __name__ == "__main__":
    raise SystemExit(main())
