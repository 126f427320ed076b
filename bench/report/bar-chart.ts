/** Whose a bar is: Portico's, another's in WebAssembly, or another's in machine code. */
export type BarKind = "ours" | "wasm" | "native";

export interface BarChart {
  readonly title: string;
  /** Behind each value, and whether more or less is better. */
  readonly unit: string;
  readonly bars: readonly {
    readonly label: string;
    readonly value: string;
    readonly size: number;
    readonly kind: BarKind;
  }[];
}

const legend: Readonly<Record<BarKind, string>> = {
  ours: "Portico",
  wasm: "others, WebAssembly",
  native: "others, machine code",
};

const [width, margin, labelWidth, valueWidth] = [760, 16, 250, 90];
const [titleHeight, rowHeight, barHeight, legendHeight] = [62, 28, 18, 36];

/** Colours differ in lightness too, and stand out from a light and a dark page alike; its own ground is behind them. */
const style = `text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:16px;font-weight:600}.unit{fill:#59636e}
.ground{fill:#fff}.ours{fill:#0a5fd0}.wasm{fill:#7fa6d9}.native{fill:#9a9fa6}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.unit{fill:#9198a1}.ground{fill:#0d1117}.ours{fill:#58a6ff}.wasm{fill:#3d6ea8}.native{fill:#6e7681}}`;

/** A chart of horizontal bars as an SVG document; the longest bar is the largest size. */
export function barChart({ title, unit, bars }: BarChart): string {
  const largest = Math.max(...bars.map(({ size }) => size));
  const room = width - 2 * margin - labelWidth - valueWidth;
  const height = titleHeight + rowHeight * bars.length + legendHeight;
  const rows = bars.flatMap(({ label, value, size, kind }, index) => {
    const top = titleHeight + rowHeight * index;
    const base = top + barHeight - 4;
    const length = ((room * size) / largest).toFixed(1);
    return [
      `<text x="${margin + labelWidth - 10}" y="${base}" text-anchor="end">${escapeText(label)}</text>`,
      `<rect class="${kind}" x="${margin + labelWidth}" y="${top}" width="${length}" height="${barHeight}" rx="2"/>`,
      `<text x="${(margin + labelWidth + Number(length) + 8).toFixed(1)}" y="${base}">${escapeText(value)}</text>`,
    ];
  });
  const kinds = (Object.keys(legend) as BarKind[]).filter((kind) => bars.some((bar) => bar.kind === kind));
  const keys = kinds.flatMap((kind, index) => {
    const [left, top] = [margin + 190 * index, height - legendHeight + 8];
    return [
      `<rect class="${kind}" x="${left}" y="${top}" width="12" height="12" rx="2"/>`,
      `<text class="unit" x="${left + 18}" y="${top + 11}">${legend[kind]}</text>`,
    ];
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(title)}">`,
    `<style>${style}</style>`,
    `<rect class="ground" width="${width}" height="${height}" rx="6"/>`,
    `<text class="title" x="${margin}" y="28">${escapeText(title)}</text>`,
    `<text class="unit" x="${margin}" y="48">${escapeText(unit)}</text>`,
    ...rows,
    ...keys,
    "</svg>",
  ].join("\n")}\n`;
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
