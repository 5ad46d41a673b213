/** The pages' only style sheet. The policy allows it by its hash, so `style` attributes have no effect. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --line: #e1e4e9; --inset: #f4f5f7;
  --text: #171b21; --quiet: #565f6d;
  --good: #16703a; --good-back: #e4f4ea;
  --bad: #b3261e; --bad-back: #fcebe9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1216; --card: #181c22; --line: #2b313a; --inset: #0f1216;
    --text: #eceff3; --quiet: #a3acb9;
    --good: #5fd68b; --good-back: #17301f;
    --bad: #ff9f95; --bad-back: #3a1c1a;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  display: grid; place-items: center; min-height: 100vh; min-height: 100svh; padding: 1.25rem min(1.25rem, 4vw);
  background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  -webkit-text-size-adjust: 100%; text-size-adjust: 100%;
}
main {
  width: 100%; max-width: 27rem; padding: 2.5rem min(2.25rem, 6vw) 2rem; text-align: center; overflow-wrap: anywhere;
  background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
  box-shadow: 0 1px 2px rgb(0 0 0 / 4%), 0 12px 32px rgb(0 0 0 / 6%);
}
:lang(ja) { word-break: auto-phrase; line-break: strict; }
:lang(en) { word-break: normal; line-break: auto; }
svg { display: block; width: 3.5rem; height: 3.5rem; margin: 0 auto 1.25rem; border-radius: 50%; }
svg { fill: none; stroke: currentColor; stroke-width: 2.25; stroke-linecap: round; stroke-linejoin: round; }
.good svg { color: var(--good); background: var(--good-back); }
.bad svg { color: var(--bad); background: var(--bad-back); }
.plain svg { color: var(--quiet); background: var(--inset); }
h1 { font-size: clamp(1rem, 8.5vw, 1.5rem); line-height: 1.25; font-weight: 650; text-wrap: balance; }
h1 + p { margin-top: 0.625rem; text-wrap: balance; }
.detail { margin-top: 0.5rem; color: var(--quiet); font-size: 0.9375rem; text-wrap: balance; }
h2 { font-size: 0.8125rem; font-weight: 600; color: var(--quiet); margin-bottom: 0.375rem; }
dl, section {
  margin-top: 1.5rem; padding: 0.875rem min(1.125rem, 4vw); text-align: left;
  background: var(--inset); border-radius: 0.625rem; font-size: 0.9375rem;
}
dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.375rem 1.25rem; }
dt { color: var(--quiet); overflow-wrap: normal; }
code { font: 0.9375em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code span { display: inline-block; max-width: 100%; }
.close { margin-top: 1.5rem; color: var(--quiet); font-size: 0.9375rem; text-wrap: balance; }
.name {
  margin-top: 1.5rem; padding-top: 1rem; border-top: 1px solid var(--line);
  color: var(--quiet); font: 0.8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (max-width: 26rem) {
  body { padding-block: 0.75rem; }
  main { padding-block: 2rem 1.5rem; }
  dl { display: block; }
  dt { overflow-wrap: anywhere; }
  dd + dt { margin-top: 0.5rem; }
}
@media (prefers-reduced-motion: no-preference) {
  main { animation: arrive 0.3s ease-out; }
  svg path { stroke-dasharray: 24; animation: draw 0.45s 0.15s ease-out backwards; }
}
@keyframes arrive { from { opacity: 0; transform: translateY(0.5rem); } }
@keyframes draw { from { stroke-dashoffset: 24; } to { stroke-dashoffset: 0; } }
`
