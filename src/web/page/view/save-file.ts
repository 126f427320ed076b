/** Browsers begin a download within this time after the click; its URL is given back afterwards. */
const urlLifeMs = 1_000;

/** Lets the browser save a text as a file. */
export function saveFile(name: string, json: string): void {
  const url = URL.createObjectURL(new Blob([json], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), urlLifeMs);
}
