// ServiceWorker: the shell of the page without a network: its files, never an answer of the API.
//
//   service-worker.1. The page itself comes from the network, and from the cache only when there is
//        none. So a new version shows with the next load.
//   service-worker.2. A file with a hash in its name comes from the cache. Every other request goes
//        to the network as if there were no worker.
//   service-worker.3. A new version is cached beside the old one, and replaces it when no window
//        has the old one any more: a window that is open finds its own files to the end.

/** The build writes the version and the files of the shell here (vite.config.ts). */
declare const SHELL: { readonly version: string; readonly files: readonly string[] };

/** The part of the worker's global scope that it uses; the page's types are loaded here. */
interface WorkerScope {
  addEventListener(name: "install" | "activate", handler: (event: Lifecycle) => void): void;
  addEventListener(name: "fetch", handler: (event: Fetching) => void): void;
}
interface Lifecycle {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

const PREFIX = "parley-shell-";
const NAME = PREFIX + SHELL.version;
const scope = globalThis as unknown as WorkerScope;
const files = new Set(SHELL.files);

scope.addEventListener("install", (event) => {
  // "reload": the browser's own cache can hold an older page.
  const requests = SHELL.files.map((file) => new Request(file, { cache: "reload" }));
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(requests)));
});

scope.addEventListener("activate", (event) => {
  const clear = async (): Promise<void> => {
    for (const name of await caches.keys()) {
      if (name.startsWith(PREFIX) && name !== NAME) await caches.delete(name);
    }
  };
  event.waitUntil(clear());
});

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (pathname === "/") event.respondWith(page(request));
  } else if (files.has(pathname)) event.respondWith(file(request));
});

/** service-worker.1. */
async function page(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const cached = await caches.match("/", { cacheName: NAME });
    if (cached === undefined) throw error;
    return cached;
  }
}

/** service-worker.2. */
async function file(request: Request): Promise<Response> {
  return (await caches.match(request.url, { cacheName: NAME })) ?? fetch(request);
}
