// The service worker of the hosted page: a cache of the files of one build, so that
// the page opens unplugged, and nothing more. It keeps nothing else, and a new one
// takes over only when it is asked to and no other tab could be in the middle of work.

/** Written by the build. */
declare const __BUILD__: { name: string; files: string[] };

// The types of service workers and of pages exclude each other in one project.
interface Extendable extends Event { waitUntil(done: Promise<unknown>): void }
interface Fetching extends Event { request: Request; respondWith(answer: Promise<Response>): void }
interface Told extends Extendable { data: unknown; source: { postMessage(message: unknown): void } | null }
interface Scope {
  caches: CacheStorage;
  clients: { matchAll(o: { includeUncontrolled: boolean }): Promise<unknown[]> };
  skipWaiting(): Promise<void>;
  addEventListener<E extends Event>(name: string, heard: (event: E) => void): void;
}

const scope = globalThis as unknown as Scope;
const { name, files } = __BUILD__;

scope.addEventListener<Extendable>("install", (e) => e.waitUntil((async () => {
  const cache = await scope.caches.open(name);
  await cache.addAll(files.map((f) => new Request(f, { cache: f.startsWith("assets/") ? "default" : "reload" })));
})()));

scope.addEventListener<Extendable>("activate", (e) => e.waitUntil((async () => {
  const old = (await scope.caches.keys()).filter((n) => n.startsWith("rootkiln-") && n !== name);
  await Promise.all(old.map((n) => scope.caches.delete(n)));
})()));

scope.addEventListener<Told>("message", (e) => e.waitUntil((async () => {
  if (e.data !== "take over") return;
  const tabs = await scope.clients.matchAll({ includeUncontrolled: true });
  if (tabs.length > 1) e.source?.postMessage("others");
  else await scope.skipWaiting();
})()));

scope.addEventListener<Fetching>("fetch", (e) => {
  const known = scope.caches.open(name).then((cache) => cache.match(e.request, { ignoreSearch: true }));
  e.respondWith(known.then((answer) => answer ?? fetch(e.request)));
});
export {};
