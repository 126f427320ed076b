/**
 * What scripts of the page may do, as a Content-Security-Policy (level 3): nothing but run the page's own files, compile
 * WebAssembly and call its own server.
 * @param server origin of the server that the page calls, if it is another than the page's own
 */
export function contentSecurityPolicy(server?: string): string {
  return [...policyOfContent(server), "frame-ancestors 'none'"].join("; ");
}

/** The same for `<meta http-equiv>`, where browsers ignore `frame-ancestors` and complain of it. */
export const contentSecurityPolicyOfMeta = (server?: string): string => policyOfContent(server).join("; ");

function policyOfContent(server: string | undefined): readonly string[] {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    // The icon; previews of pictures are canvases.
    "img-src 'self'",
    `connect-src 'self'${server === undefined ? "" : ` ${server}`}`,
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ];
}

/**
 * On every file of the page. COOP and COEP isolate it, so that it may share memory with threads; that holds for the
 * scripts of workers too.
 */
export function pageHeaders(server?: string): Readonly<Record<string, string>> {
  return {
    "content-security-policy": contentSecurityPolicy(server),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()",
  };
}
