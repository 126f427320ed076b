/**
 * Gives the focus to another element before the one that has it goes: the browser would drop it to the top of the page.
 * It is brought into view once it has moved to its new place.
 */
export function passFocus(to: HTMLElement | null | undefined): void {
  if (!to) return;
  to.focus({ preventScroll: true });
  requestAnimationFrame(() => to.scrollIntoView({ block: "nearest" }));
}

/** The field that is always there. */
export const fileChooser = (): HTMLElement | null => document.querySelector("#files");
