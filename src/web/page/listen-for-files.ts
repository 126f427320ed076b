/**
 * Takes files that are dropped anywhere on the page or pasted into it. A file that misses a small target would else make
 * the browser leave the page for it. While files are over the page, its root has the class `is-dropping`.
 */
export function listenForFiles(page: Document, onFiles: (files: readonly File[]) => void): void {
  const root = page.documentElement;
  page.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    root.classList.add("is-dropping");
  });
  page.addEventListener("dragleave", (event) => {
    // Moving from one element to another leaves the first one, too; only out of the window counts.
    if (event.relatedTarget === null) root.classList.remove("is-dropping");
  });
  page.addEventListener("drop", (event) => {
    root.classList.remove("is-dropping");
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    onFiles([...event.dataTransfer.files]);
  });
  page.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    onFiles(files);
  });
}
