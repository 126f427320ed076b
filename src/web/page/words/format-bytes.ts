const units = ["bytes", "KB", "MB", "GB"] as const;

/** A size in decimal units, as file managers and this project's documents write it: `173 KB`, `93.9 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit >= 2 && value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${bytes === 1 ? "byte" : units[unit]}`;
}
