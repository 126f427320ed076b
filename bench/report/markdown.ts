/** One column of a table: its heading, and whether it holds figures, which are set to the right. */
export type Column = string | { readonly figures: string };

/** A Markdown table; every row has a cell for each column. */
export function markdownTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const headings = columns.map((column) => (typeof column === "string" ? column : column.figures));
  const rules = columns.map((column) => (typeof column === "string" ? "---" : "---:"));
  return [headings, rules, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Three significant figures at most below a thousand: 0.35, 8.4, 104, 1330. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "-";
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}

export const milliseconds = (value: number): string => `${figure(value)} ms`;

export const seconds = (valueMs: number): string => `${figure(valueMs / 1000)} s`;

export const percent = (ratio: number): string => `${(100 * ratio).toFixed(1)} %`;

/** How many times: 2.65 x. */
export const times = (ratio: number): string => `${ratio.toFixed(2)} x`;

export const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
