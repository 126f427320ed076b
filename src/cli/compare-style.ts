/** The one style sheet of the page that `portico compare` writes. Every text has a contrast of at least 4.5. */
export const compareStyle = `
:root { color-scheme: light dark; --ground: #f5f6f8; --surface: #fff; --text: #1a1d23; --quiet: #565e6c; --line: #d8dce3;
  --accent: #1f56b5; --mark: #8a4b00; --wrong: #a3201a; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #13161b; --surface: #1c2027; --text: #e9ebef; --quiet: #a9b1bf; --line: #353b46;
    --accent: #8db5f8; --mark: #ffc27a; --wrong: #ff9d94; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.45 system-ui, sans-serif; }
header, main { max-width: 90rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3 { margin: 0 0 .5rem; line-height: 1.25; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; } h3 { font-size: .95rem; }
p { max-width: 48rem; margin: 0 0 .75rem; }
a { color: var(--accent); }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.store { position: absolute; width: 0; height: 0; overflow: hidden; }
.models { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(16rem, 100%), 1fr)); }
.model, .query, .failures { background: var(--surface); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem .75rem; margin: 0; font-size: .875rem; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.overlap, .failures { margin: 1rem 0 0; }
.failures { color: var(--wrong); } .failures ul { margin: 0; padding-left: 1.25rem; overflow-wrap: anywhere; }
.query { margin: 1rem 0; display: grid; gap: 1rem; grid-template-columns: minmax(0, 9rem) minmax(0, 1fr);
  content-visibility: auto; contain-intrinsic-size: auto 20rem; }
.sides { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); }
.near { display: grid; gap: .5rem; grid-template-columns: repeat(auto-fill, minmax(5.1rem, 1fr)); list-style: none; margin: 0; padding: 0; }
.near li { border: 2px solid transparent; border-radius: .4rem; padding: .3rem; font-size: .75rem; min-width: 0; }
.near .own { border: 2px dashed var(--mark); }
.near .thumb { height: 5.5rem; }
.thumb { display: block; width: 100%; max-height: 10rem; }
.near a, .number, .mark { display: block; overflow-wrap: anywhere; }
.number { font-variant-numeric: tabular-nums; } .number, .quiet { color: var(--quiet); } .mark { color: var(--mark); }
@media (max-width: 40rem) { .query { grid-template-columns: minmax(0, 1fr); } }
@media print {
  body { background: none; } .query { content-visibility: visible; break-inside: avoid; } .model { break-inside: avoid; }
  .near { grid-template-columns: repeat(5, 1fr); } a { color: inherit; text-decoration: none; }
}
`;
