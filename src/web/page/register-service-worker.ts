import { serviceWorkerUrl } from "./page-config.ts";

/**
 * Lets the page be opened without a network from its first visit on. A page over plain http, except from localhost, has
 * no service workers: it then works while there is a network.
 * @throws TypeError or DOMException (as a rejection) if the browser refuses it
 */
export async function registerServiceWorker(page: Document): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register(serviceWorkerUrl(page), {
    scope: new URL(".", page.baseURI).pathname,
  });
}
