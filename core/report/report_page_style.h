// How the page of report_page.cc looks: paper, one accent, and a second colour
// for what failed that differs from it in lightness too, for who cannot tell
// the hues apart.
#pragma once

#include <string_view>

namespace pony {

inline constexpr std::string_view k_report_page_style = R"css(
:root {
  color-scheme: light dark;
  --paper: #f5f4f0; --card: #fff; --ink: #1b2124; --soft: #5c6569;
  --line: #e4e2db; --track: #efeee9;
  --accent: #1c6583; --middle: #6fa6bd; --low: #c3dbe5;
  --bad: #e0692a; --bad-ink: #a63f06; --bad-paper: #fdf1e9;
  --bad-line: #f3d3bd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #121517; --card: #1b2023; --ink: #e8ebea; --soft: #9aa5a8;
    --line: #2d3438; --track: #262c30;
    --accent: #5fb0d0; --middle: #38778f; --low: #23485a;
    --bad: #f28a4b; --bad-ink: #ffa26b; --bad-paper: #2a1e17;
    --bad-line: #55382a;
  }
}
@media print {
  :root { --paper: #fff; --card: #fff; }
  body { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 40px 28px 28px; max-width: 1120px;
  background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto,
    "Helvetica Neue", Arial, "Noto Sans", sans-serif;
  -webkit-text-size-adjust: 100%; overflow-wrap: anywhere;
}
h1 { margin: 0; font-size: 28px; line-height: 1.2; letter-spacing: -.015em; }
.span { margin: 4px 0 0; color: var(--soft); }
.health { margin: 24px 0 0; padding: 12px 18px; border-radius: 10px;
  background: var(--card); border: 1px solid var(--line);
  border-left: 4px solid var(--accent); }
.health p { margin: 0; }
.health p + p { margin-top: 4px; }
.health.bad { background: var(--bad-paper); border-color: var(--bad-line);
  border-left-color: var(--bad); }

.tiles { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr));
  gap: 16px; margin: 16px 0 0; }
.tiles div, section { background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; }
.tiles div { padding: 14px 18px 12px; }
.tiles dt { color: var(--soft); font-size: 13px; }
.tiles dd { margin: 0; line-height: 1.3; }
.tiles b { font-size: 28px; font-weight: 600; letter-spacing: -.02em; }
.tiles .bad b { color: var(--bad-ink); }
small { font-size: 12.5px; color: var(--soft); font-weight: 400; }

main { margin: 16px 0 0; }
section { padding: 18px 20px 14px; margin: 0 0 16px; break-inside: avoid; }
.cards { columns: 2; column-gap: 16px; }
h2 { margin: 0 0 10px; font-size: 17px; line-height: 1.3; }
h2 span { font-size: 13px; font-weight: 400; color: var(--soft);
  margin-left: 4px; }
.note { margin: 0 0 8px; color: var(--soft); font-size: 13px; }

table { width: 100%; border-collapse: collapse; font-size: 14px;
  font-variant-numeric: tabular-nums; }
th, td { padding: 7px 0 8px 14px; text-align: right; vertical-align: top;
  font-weight: 400; white-space: nowrap; border-top: 1px solid var(--line); }
th:first-child { padding-left: 0; text-align: left; white-space: normal;
  width: 100%; }
thead th { border-top: 0; padding-top: 0; padding-bottom: 5px;
  font-size: 12.5px; color: var(--soft); }
tfoot th, tfoot td { font-weight: 600; padding-bottom: 2px; }
.more td { text-align: left; padding-left: 0; color: var(--soft); }
.name { display: -webkit-box; -webkit-box-orient: vertical;
  -webkit-line-clamp: 3; overflow: hidden; line-height: 1.4; }
th small { display: block; line-height: 1.4; margin-top: 4px; }
td b { font-weight: 600; color: var(--bad-ink); }
.bar { display: block; width: 100%; height: 6px; margin-top: 5px;
  border-radius: 3px; background: var(--track); }
.sent, .p50 { fill: var(--accent); }
.p95 { fill: var(--middle); }
.p99 { fill: var(--low); }
.failed { fill: var(--bad); }

figure { margin: 0 0 14px; }
figcaption { font-size: 13px; margin-bottom: 12px; }
figcaption .soft { color: var(--soft); }
[data-t] { font-style: normal; }
[data-t]::before { content: attr(data-t); }
.dot { display: inline-block; width: 10px; height: 10px; margin-right: 7px;
  border-radius: 2px; background: var(--accent); }
.dot.failed { background: var(--bad); }
.dot.p95 { background: var(--middle); }
.dot.p99 { background: var(--low); }
thead .dot { width: 8px; height: 8px; margin-right: 5px; }
.plot { position: relative; margin-left: 46px; height: 190px; }
.of-failed .plot { height: 72px; }
.plot svg { display: block; width: 100%; height: 100%; overflow: visible; }
.strips { margin-top: 18px; }
.strips figcaption { margin-bottom: 8px; }
.strip { margin: 0 0 8px 46px; font-size: 12.5px; line-height: 1.5; }
.strip svg { display: block; width: 100%; height: 14px; border-radius: 3px;
  background: var(--track); }
.fine { fill: var(--low); }
.grid, .base { fill: none; stroke: var(--line); stroke-width: 1;
  vector-effect: non-scaling-stroke; }
.base { stroke: var(--soft); }
.hints rect { fill: transparent; }
.hints rect:hover { fill: var(--soft); fill-opacity: .16; }
.values, .times { font-size: 12px; line-height: 16px; color: var(--soft);
  font-variant-numeric: tabular-nums; }
.values i, .times i { position: absolute; white-space: nowrap; }
.values i { right: calc(100% + 10px); transform: translateY(-50%); }
.times { position: relative; height: 16px; margin: -6px 0 16px 46px; }
.times i { transform: translateX(-50%); }
.times .end { transform: translateX(-90%); }
summary { cursor: pointer; color: var(--accent); font-size: 13.5px;
  width: max-content; }
summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px;
  border-radius: 3px; }
details table { margin-top: 12px; }
footer { margin-top: 22px; color: var(--soft); font-size: 12.5px; }

@media (max-width: 860px) {
  .cards { columns: 1; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@media (max-width: 480px) {
  body { padding: 22px 14px; }
  h1 { font-size: 24px; }
  section { padding: 15px 15px 11px; }
  .tiles { gap: 10px; }
  .tiles div { padding: 11px 13px 10px; }
  .tiles b { font-size: 23px; }
  section { margin-bottom: 12px; }
  th, td { padding-left: 11px; }
  h2 span { display: block; margin: 1px 0 0; }
  .plot, .times, .strip { margin-left: 38px; }
  .plot { height: 150px; }
}
)css";

}  // namespace pony
