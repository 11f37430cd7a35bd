"""The report page's style sheet: inline, with system fonts, so that the page needs nothing but itself."""

STYLE = """\
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f5f6f8; --ink: #1b1f24; --soft: #5a636e; --rule: #d8dde3;
  --good: #0f7b62; --bad: #c2361b; --unknown: #d99000; --lag: #2f6fb7; --phase: #7a5ea8; --marker: #6b7480;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --panel: #1d2126; --ink: #e8ebee; --soft: #a0a9b3; --rule: #363d45;
    --good: #3fb994; --bad: #f0775c; --unknown: #e3ae3f; --lag: #73aaea; --phase: #ab92d8; --marker: #8d97a3;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1100px; padding: 28px 20px 60px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { font-size: 15px; font-weight: 600; color: var(--soft); margin: 0 0 10px; }
h2 { font-size: 17px; margin: 36px 0 10px; }
p { margin: 6px 0; }
.verdict { font-size: 22px; line-height: 1.35; font-weight: 600; margin: 0 0 8px; padding: 14px 18px;
  border-left: 6px solid var(--good); background: var(--panel); overflow-wrap: anywhere; }
.verdict.failed { border-color: var(--bad); }
.verdict b { color: var(--good); } .verdict.failed b { color: var(--bad); }
.soft { color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 12px; margin: 20px 0 0; }
.figure { background: var(--panel); padding: 12px 16px; }
.figure .value { font-size: 26px; font-weight: 600; font-variant-numeric: tabular-nums; }
.figure .name { font-weight: 600; } .figure .note { color: var(--soft); font-size: 13px; }
.picture { overflow-x: auto; } svg { display: block; width: 100%; min-width: 760px; height: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--rule);
  overflow-wrap: anywhere; }
th { font-size: 13px; color: var(--soft); font-weight: 600; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; padding-right: 18px; }
td.word { white-space: nowrap; }
th.number { text-align: right; padding-right: 18px; } table + table { margin-top: 16px; }
table.narrow { width: auto; min-width: 420px; }
.true { color: var(--good); font-weight: 600; } .false { color: var(--bad); font-weight: 600; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--panel); padding: 10px 14px; margin: 6px 0 14px;
  font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
svg text { font-size: 12px; fill: var(--ink); }
svg .tick, svg .legend, svg .lane { fill: var(--soft); } svg .lane { font-weight: 600; }
svg .halo { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
svg .grid { stroke: var(--rule); stroke-width: 1; } svg .axis { stroke: var(--soft); stroke-width: 1; }
svg rect.nothing { fill: var(--panel); } svg rect.nothing.key { stroke: var(--rule); }
svg rect.acknowledged { fill: var(--good); }
svg rect.indeterminate { fill: var(--unknown); } svg rect.failed { fill: var(--bad); }
svg rect.phase { fill: var(--phase); }
svg rect.open { fill: none; stroke: var(--phase); stroke-dasharray: 4 3; }
svg .lag { fill: none; stroke: var(--lag); stroke-width: 1.6; } svg .lag-area { fill: var(--lag); opacity: .16; }
svg .lag-point { fill: var(--lag); }
svg .marker { stroke: var(--marker); stroke-width: 1; stroke-dasharray: 2 3; }
svg .marker.fault { stroke: var(--bad); stroke-width: 1.6; stroke-dasharray: none; }
svg .marker.client { stroke: var(--good); stroke-width: 1.6; stroke-dasharray: none; }
svg .label.fault { fill: var(--bad); font-weight: 600; } svg .label.client { fill: var(--good); font-weight: 600; }
@media print { body { max-width: none; } }
"""
