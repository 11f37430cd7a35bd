"""The page, docs/decision-table.md: a table for each kind of order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from decision_table.inputs import EVIDENCE, EVIDENCES, TOGETHER, WORDS, Input, evidence
from decision_table.tree import Row, combinations_of, inputs_for, rows_for
from function_runtime.control import OrderKind

ANY = "any"
TABLES: tuple[tuple[OrderKind | None, str, str], ...] = (
    (None, "Without an order", "What the controller does by itself, in the modes `automatic`, `manual` and `paused`."),
    (
        OrderKind.APPROVE,
        "With an approval",
        "A person approves the incident that the controller asks about. Every proof of life still stops it.",
    ),
    (
        OrderKind.PLANNED,
        "With an order for a planned failover",
        "A healthy writer is moved. Whatever is not certain stops it.",
    ),
    (
        OrderKind.FORCED,
        "With an order for a forced failover",
        "The person knows better than the signals. A pause, an unready standby or too high a loss stop it.",
    ),
)
OPENING = """# Decision table

Every decision of the controller, read out of its code by `nox -s decisions`; do not edit it by hand. A test compares it
with the code, and another looks up random combinations in it.

How to read it: each combination of answers matches exactly one row, of exactly one table. `any` stands for every
answer: there the answer changes nothing. A signal is *yes*, *no* or *unknown*; what is not known is no reason to fail
over. The tables have {rows} rows for {combinations} combinations.

| action | what the controller does |
|---|---|
| hold | nothing, and nobody needs to know |
| alert | nothing, and tells people once |
| ask | nothing until a person approves it, and asks people once |
| fail_over | opens an incident and carries it through |

What the answers are:

- **Trouble**: *none* while the writer is well; *failing* when this site's probes fail, *silent* when they report
  nothing, *flapping* when the writer has gone and come back three times, *hung* when it answers and no probe has
  committed for an outage. Its age is *within* or *beyond* the patience: of five times `outageSeconds`, and where it is
  *silent* of 1.75 times. *Any kind* is any of the first three.
- **What else has been wrong for long**: for 1.75 times `outageSeconds`, while the writer is not known to be down.
- **Writer has shown life since**: its stream, its own site's probe or the witness has, after the trouble had begun.
- **Probes' sessions**: how the newest ended at best.
- **Writer answers this site's probes**: *no* only after every probe of at least `outageSeconds` has failed.
- **Second signal**: what five signals say together: the writer answers its own site's probes; RDS calls the writer
  operational; the witness sees the writer; RDS measures its host; its region answers. *Its own site sees it*: the first
  is yes. *The witness sees it*: the third is yes and the first is not. Otherwise: *strong*: the second is
  no, or the last together with another one. *Weak alone*: the first, the third or the fourth is no, and none of the
  others: a group or a rule that was changed silences probes and witness alike, and RDS's metrics can be late. *The dark
  region alone*: only the last is no. *None*: none is no.
- **Policies**: the settings `darkWithoutWitness`, `writerHung` and `maintenanceOverdue`.
- **Cool-down**: *over* or *running* after the last failover; *never began* where there was none.
- **Greatest loss**: from the last commit known to be on the replica to the last moment at which the writer can have
  committed for anybody, against `maxDataLossSeconds`.
- **Accepted loss**: what the order accepts, against the greatest loss (where that is unknown: against the lag).
- In a reason, *italics* stand for a figure or a name. The reason is that of the row's first combination: it names the
  signals that there are.
"""


def page() -> str:
    """The whole page."""
    tables = [(order, title, text, rows_for(order)) for order, title, text in TABLES]
    rows = sum(len(each) for *_, each in tables)
    combinations = sum(combinations_of(order) for order, *_ in tables)
    parts = [OPENING.format(rows=rows, combinations=f"{combinations:,}")]
    for order, title, text, of_order in tables:
        total = f"{len(of_order)} rows for {combinations_of(order):,} combinations."
        parts.append(f"## {title}\n\n{text} {total}\n\n{_table(order, of_order)}")
    return "\n".join(parts)


def _table(order: OrderKind | None, rows: tuple[Row, ...]) -> str:
    # The kind of a trouble is told in the trouble's own column; columns that say "any" in every row are left out.
    columns = [
        each for each in inputs_for(order) if each.name != "kind" and any(each.name in row.conditions for row in rows)
    ]
    lines = [["Action", "Code", *(each.heading for each in columns), "Reason", "Combinations"]]
    lines.append(["---"] * (len(lines[0]) - 1) + ["---:"])
    for row in rows:
        cells = [_cell(each, row.conditions) for each in columns]
        reason = _in_words(row.decision.reason)
        lines.append([str(row.decision.action), f"`{row.decision.code}`", *cells, reason, f"{row.combinations:,}"])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(each: Input, conditions: Mapping[str, frozenset[str]]) -> str:
    values = conditions.get(each.name, frozenset(each.values))
    if each.name == "trouble" and "kind" in conditions:
        return _listed([kind for kind in ("failing", "silent", "flapping") if kind in conditions["kind"]])
    if len(values) == len(each.values):
        return ANY
    if each.name == EVIDENCE:
        return _listed(_evidences(values))
    return _listed([SOME_TROUBLE.get(value, value) for value in each.values if value in values])


SOME_TROUBLE = MappingProxyType({"some": "any kind"})


def _evidences(values: frozenset[str]) -> list[str]:
    """The words for a set of combinations of the five signals.

    Raises:
        ValueError: there are none: ``decide`` weighs the signals in a way that the words do not know.
    """
    named = [name for name in EVIDENCES if any(evidence(value) == name for value in values)]
    if values != {value for value in TOGETHER.values if evidence(value) in named}:
        raise ValueError(f"{EVIDENCE} = {sorted(values)}: give inputs.evidence() a word for exactly these")
    return named


def _listed(values: list[str]) -> str:
    return " or ".join(values)


def _in_words(reason: str) -> str:
    figures = "|".join(re.escape(figure) for figure in sorted(WORDS, key=len, reverse=True))
    return re.sub(rf"(?<![\d.])(?:{figures})", lambda found: WORDS[found[0]], reason)
