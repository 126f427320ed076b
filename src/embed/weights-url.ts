/**
 * Whether a file of weights may be fetched from there: over https, or from this machine itself, where a mirror or a test
 * may run.
 */
export function isSafeWeightsUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  if (protocol === "https:") return true;
  return protocol === "http:" && /^(127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}
