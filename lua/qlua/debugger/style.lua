--- The style of all debug pages: light and dark, narrow and wide. Nothing is loaded from elsewhere.
--- Flow: templates.lua puts it into the pages' head.

return [[
:root { color-scheme: light dark; --back: #f6f6f4; --paper: #ffffff; --ink: #1d2125;
  --dim: #626a73; --line: #d9dcdf; --bad: #b42318; --bad-back: #fdecea; --mark: #fff2c6;
  --mark-edge: #d69e00; --link: #0b57a4; --code: #f2f3f4; --string: #1b6e32; --number: #8a3ba8;
  --button: #0b57a4; --button-ink: #ffffff; --good: #1b6e32; }
@media (prefers-color-scheme: dark) {
  :root { --back: #16181b; --paper: #1e2125; --ink: #e4e6e8; --dim: #9aa3ac; --line: #353a40;
    --bad: #ff8a7a; --bad-back: #3a2220; --mark: #403616; --mark-edge: #d6a419; --link: #7db8f5;
    --code: #262a2f; --string: #8fd19e; --number: #d3a3e8; --button: #2f6db3;
    --button-ink: #ffffff; --good: #8fd19e; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
a { color: var(--link); }
main, header .inner { max-width: 1180px; margin: 0 auto; padding: 0 20px; }
header { background: var(--paper); border-bottom: 3px solid var(--bad); padding: 22px 0 18px; }
header.plain { border-bottom-color: var(--mark-edge); }
h1 { font-size: 15px; font-weight: 600; color: var(--bad); margin: 0 0 4px; }
header.plain h1 { color: var(--dim); }
.message { font: 600 19px/1.4 ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace;
  margin: 0 0 10px; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 40vh;
  overflow: auto; }
.where { color: var(--dim); margin: 0; overflow-wrap: anywhere; }
.where code { color: var(--ink); }
.actions { display: flex; flex-wrap: wrap; gap: 10px; align-items: center; margin: 14px 0 0; }
form { margin: 0; }
h2 { font-size: 17px; margin: 30px 0 10px; }
h3 { font-size: 13px; margin: 16px 0 4px; color: var(--dim); font-weight: 600; }
code, pre, .tree, input, textarea { font-family: ui-monospace, SFMono-Regular, Menlo,
  "DejaVu Sans Mono", monospace; font-size: 13px; }
button { font: inherit; font-size: 14px; padding: 5px 14px; border-radius: 6px; cursor: pointer;
  border: 1px solid var(--button); background: var(--button); color: var(--button-ink); }
button.quiet { background: transparent; color: var(--link); border-color: var(--line); }
button:focus-visible, summary:focus-visible, a:focus-visible, input:focus-visible,
textarea:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
details.frame, details.fact, .box { background: var(--paper); border: 1px solid var(--line);
  border-radius: 8px; margin: 0 0 8px; }
details.frame > summary, details.fact > summary { padding: 9px 14px; cursor: pointer;
  overflow-wrap: anywhere; }
details.frame > summary b { font-weight: 600; }
details.frame > summary code { color: var(--dim); margin-left: 8px; }
details.frame[open] > summary { border-bottom: 1px solid var(--line); }
.tag { font-size: 11px; color: var(--dim); border: 1px solid var(--line); border-radius: 10px;
  padding: 0 8px; margin-left: 8px; white-space: nowrap; }
details.folded { margin: 0 0 8px; color: var(--dim); }
details.folded > summary { cursor: pointer; padding: 3px 14px; font-size: 13px; }
details.folded > .inside { padding: 6px 0 0 18px; }
.source { margin: 0; padding: 8px 0; overflow-x: auto; background: var(--code); line-height: 1.5; }
.source span { display: block; padding: 0 14px 0 0; white-space: pre; min-width: max-content; }
.source i { display: inline-block; width: 52px; padding-right: 14px; text-align: right;
  color: var(--dim); font-style: normal; user-select: none; }
.source .current { background: var(--mark); box-shadow: inset 3px 0 0 var(--mark-edge); }
.inside { padding: 4px 14px 12px; }
.rows { display: grid; grid-template-columns: minmax(90px, max-content) 1fr; gap: 2px 16px;
  margin: 0; }
.rows dt { color: var(--dim); overflow-wrap: anywhere; font-size: 13px; padding-top: 1px;
  max-width: 260px; }
.rows dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.tree { overflow-wrap: anywhere; }
.tree summary { cursor: pointer; }
.tree .items { margin: 0 0 2px; padding-left: 16px; border-left: 1px solid var(--line); }
.tree .items > div { display: flex; gap: 8px; }
.tree .items > div > .tree { min-width: 0; flex: 1; }
.tree .key { color: var(--dim); flex: none; max-width: 40%; overflow-wrap: anywhere; }
.string { color: var(--string); } .number, .boolean { color: var(--number); }
.nil, .masked, .note, .function, .table { color: var(--dim); }
.note { margin: 6px 0; }
.console { padding: 4px 14px 12px; border-top: 1px dashed var(--line); }
.console .log { margin: 0; }
.console .log > div { margin: 6px 0; overflow-wrap: anywhere; }
.console .asked::before { content: "> "; color: var(--dim); }
.console .asked { white-space: pre-wrap; font-family: ui-monospace, SFMono-Regular, Menlo,
  "DejaVu Sans Mono", monospace; font-size: 13px; }
.console pre { margin: 2px 0; white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 2; }
.console .wrong { color: var(--bad); }
.prompt { display: flex; gap: 8px; align-items: flex-start; margin-top: 6px; }
.prompt textarea { flex: 1; min-width: 0; resize: vertical; min-height: 34px; padding: 6px 9px;
  border: 1px solid var(--line); border-radius: 6px; background: var(--code); color: var(--ink); }
input { padding: 6px 9px; border: 1px solid var(--line); border-radius: 6px;
  background: var(--code); color: var(--ink); }
dialog { border: 1px solid var(--line); border-radius: 10px; background: var(--paper);
  color: var(--ink); max-width: min(420px, calc(100vw - 40px)); padding: 20px; }
dialog::backdrop { background: rgba(0, 0, 0, .45); }
dialog p { margin: 0 0 12px; }
.wrong { color: var(--bad); }
.banner { background: var(--mark); border: 1px solid var(--mark-edge); border-radius: 8px;
  padding: 9px 14px; margin: 18px 0 0; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { text-align: left; color: var(--dim); font-weight: 600; white-space: nowrap; }
th, td { padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
main > .scroll:first-child { margin-top: 20px; }
pre.text { tab-size: 2; margin: 0; padding: 12px 14px; white-space: pre-wrap;
  overflow-wrap: anywhere; }
footer { color: var(--dim); font-size: 13px; max-width: 1180px; margin: 24px auto;
  padding: 0 20px 20px; }
[hidden] { display: none !important; }
@media (max-width: 640px) {
  main, header .inner, footer { padding-left: 12px; padding-right: 12px; }
  .message { font-size: 16px; }
  .rows { grid-template-columns: 1fr; gap: 0; }
  .rows dt { padding-top: 6px; max-width: none; }
  .rows dd { padding-left: 10px; }
  .source i { width: 38px; padding-right: 10px; }
  details.frame > summary code { display: block; margin-left: 18px; }
  .tree .items { padding-left: 10px; }
  th, td { padding-right: 8px; }
}
]]
