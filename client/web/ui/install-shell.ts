// InstallShell: registers the service worker, which serves the page without a network.

/** The only address that a script of this page may be loaded from by name (Trusted Types). */
const WORKER = "/sw.js";

interface Policies {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): unknown };
}

/** After the page is shown, so that the shell does not compete with it for the network. */
export function installShell(): void {
  // A page on http of another machine has no service workers.
  if (!("serviceWorker" in navigator)) return;
  const { trustedTypes } = globalThis as { readonly trustedTypes?: Policies };
  const rules = { createScriptURL: (url: string) => (url === WORKER ? url : "") };
  const url = trustedTypes?.createPolicy("parley", rules).createScriptURL(WORKER) ?? WORKER;
  const register = (): void => {
    // A browser that forbids it (a private window) shows the page as before.
    navigator.serviceWorker.register(url as string).catch(() => undefined);
  };
  if (document.readyState === "complete") register();
  else window.addEventListener("load", register);
}
