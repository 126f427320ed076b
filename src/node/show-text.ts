/** Enough to know an answer by; the rest of a page of HTML tells nothing more. */
const shownMaxChars = 200;

/** A stranger's text in one line: no control characters, which a terminal would obey, and not too long. */
export function showText(text: string, maxChars: number = shownMaxChars): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return line.length > maxChars ? `${line.slice(0, maxChars)}...` : line;
}
