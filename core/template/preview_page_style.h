// How the page of preview_page.cc looks. No script: the switches are radio
// buttons before everything that depends on them.
#pragma once

#include <string_view>

namespace pony {

inline constexpr std::string_view k_preview_page_style = R"css(
:root {
  color-scheme: light dark;
  --paper: #f4f3ef; --card: #fff; --sunk: #faf9f6; --ink: #1d1f1e;
  --soft: #62645f; --line: #dfddd5; --accent: #17605b; --on-accent: #fff;
  --warm: #8a3b12; --warm-paper: #fdf1e7; --warm-line: #eccdb4;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue",
    Arial, "Noto Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas,
    "DejaVu Sans Mono", "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #141615; --card: #1e2120; --sunk: #191b1a; --ink: #eceae5;
    --soft: #a3a59f; --line: #343937; --accent: #7cc4bb; --on-accent: #10201e;
    --warm: #f0b48c; --warm-paper: #2b2019; --warm-line: #5a4030;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; width: max-content; min-width: 100%;
  background: var(--paper); color: var(--ink);
  font: 15px/1.5 var(--sans); -webkit-text-size-adjust: 100%;
}
/* Fixed: the page does not jump to it when it is switched. */
.switch { position: fixed; top: 0; left: 0; opacity: 0;
  pointer-events: none; }
/* Both stay where they are while languages pass below them. */
header, nav { position: sticky; left: 0; width: 100vw; max-width: 100%; }
header { padding: 28px 32px 4px; }
h1 { margin: 0; font-size: 25px; line-height: 1.25; letter-spacing: -.01em; }
h1 small { font-size: 15px; font-weight: 400; color: var(--soft);
  letter-spacing: 0; margin-left: .4em; }
.about { margin: 6px 0 0; color: var(--soft); max-width: 46em; }
.made-up { margin: 14px 0 0; display: flex; flex-wrap: wrap; gap: 6px;
  align-items: center; max-width: 60em; }
.made-up b { font-weight: 600; margin-right: 4px; }
.made-up code { font: 12.5px/1 var(--mono); padding: 5px 8px; background:
  var(--warm-paper); color: var(--warm); border: 1px solid var(--warm-line);
  border-radius: 6px; overflow-wrap: anywhere; }
nav { top: 0; z-index: 1; padding: 12px 32px;
  display: flex; flex-wrap: wrap; gap: 10px 14px; align-items: center;
  background: var(--paper); border-bottom: 1px solid var(--line); }
.set { display: inline-flex; padding: 3px; border-radius: 9px;
  background: var(--card); border: 1px solid var(--line); }
.set label { padding: 5px 14px; border-radius: 6px; cursor: pointer;
  color: var(--soft); font-size: 14px; line-height: 1.4; user-select: none; }
.set label:hover { color: var(--ink); }
#at-desk:checked ~ nav [for=at-desk], #on-phone:checked ~ nav [for=on-phone],
#in-light:checked ~ nav [for=in-light], #in-dark:checked ~ nav [for=in-dark] {
  background: var(--accent); color: var(--on-accent); }
#at-desk:focus-visible ~ nav [for=at-desk],
#on-phone:focus-visible ~ nav [for=on-phone],
#in-light:focus-visible ~ nav [for=in-light],
#in-dark:focus-visible ~ nav [for=in-dark] {
  outline: 2px solid var(--accent); outline-offset: 2px; }
.jump { display: flex; flex-wrap: wrap; gap: 4px 12px; font-size: 14px; }
.jump a { color: var(--accent); text-decoration: none; padding: 3px 0; }
.jump a:hover { text-decoration: underline; }
main { display: flex; gap: 28px; padding: 24px 32px 40px;
  align-items: flex-start; }
article { width: 700px; flex: none; scroll-margin: 80px 32px; }
#on-phone:checked ~ main article { width: 375px; }
h2 { margin: 0 0 10px; font-size: 16px; line-height: 1.4; font-weight: 650; }
h2 small { font-weight: 400; color: var(--soft); font-size: 14px;
  margin-left: .3em; }
h3 { margin: 20px 0 8px; font-size: 13px; font-weight: 600;
  color: var(--soft); }
.inbox { padding: 12px 16px; background: var(--card); border: 1px solid
  var(--line); border-radius: 10px; margin-bottom: 12px; }
.inbox p { margin: 0; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; }
.inbox .from { font-size: 13.5px; color: var(--soft); }
.inbox .subject { font-weight: 650; }
.inbox .preheader { color: var(--soft); }
.inbox .none { font-style: italic; }
.frame { height: 780px; resize: vertical; overflow: hidden; border-radius:
  10px; border: 1px solid var(--line); background: #fff; }
#on-phone:checked ~ main .frame { height: 720px; border-radius: 22px;
  border: 6px solid var(--line); width: 387px; margin-left: -6px; }
iframe { display: block; width: 100%; height: 100%; border: 0;
  color-scheme: light; background: #fff; }
#in-dark:checked ~ main .frame, #in-dark:checked ~ main iframe {
  color-scheme: dark; background: #121212; }
pre { margin: 0; padding: 16px; background: var(--sunk); border: 1px solid
  var(--line); border-radius: 10px; font: 13px/1.55 var(--mono);
  white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 4; }
.error { padding: 14px 16px; background: var(--warm-paper); color: var(--warm);
  border: 1px solid var(--warm-line); border-radius: 10px;
  overflow-wrap: anywhere; }
.error p { margin: 0; font-weight: 600; }
.error ul { margin: 8px 0 0; padding-left: 1.2em; }
.error .hint { font-weight: 400; margin-top: 8px; }
@media (max-width: 760px) {
  body { width: auto; }
  header { padding: 20px 16px 4px; }
  h1 small { display: block; margin: 2px 0 0; }
  nav { padding: 10px 16px; }
  /* A phone is as wide as a phone. */
  .widths { display: none; }
  main, #on-phone:checked ~ main { display: block;
    padding: 16px 16px 32px; }
  article, #on-phone:checked ~ main article { width: auto;
    margin-bottom: 44px; }
  .frame, #on-phone:checked ~ main .frame { height: 78vh; width: auto;
    margin: 0; border-radius: 10px; border: 1px solid var(--line); }
}
@media print {
  nav { display: none; }
  main { flex-wrap: wrap; width: auto; }
}
)css";

}  // namespace pony
