// The hosted page keeps its own files, so that it opens unplugged, and says when
// there is a newer build of it. The newer one waits until it is asked for: it would
// take the files of this one away.

import { about } from "./about";
import { scripts } from "./engine";
import { t } from "./i18n";
import { button, h, replace } from "./ui";

/** Where `rootkiln serve` listens: another program may have this port tomorrow, and
 *  would find our files in its place. */
const loopback = ["127.0.0.1", "[::1]", "localhost"];

/** keepOffline puts the notice of a new version into a host when there is one. */
export async function keepOffline(host: HTMLElement): Promise<void> {
  if (!about.engine.url || loopback.includes(location.hostname)) return;
  if (!("serviceWorker" in navigator)) return notKept(host);
  const registration = await navigator.serviceWorker.register(scripts.createScriptURL("service worker")).catch(() => undefined);
  if (!registration) return notKept(host); // a browser that allows none, as in a private window
  const look = (): void => {
    // Without a controller this is the first visit: what waits is this very build.
    if (registration.waiting && navigator.serviceWorker.controller) offer(host, registration.waiting);
  };
  look();
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", look));
  // Storage may be refused or full: then what was to be installed is thrown away.
  registration.installing?.addEventListener("statechange", (e) => {
    if ((e.target as ServiceWorker).state === "redundant" && !registration.active) notKept(host);
  });
}

/** notKept says that nothing is kept, which matters to nobody but the next visit. */
function notKept(host: HTMLElement): void {
  replace(host, h("p", { class: "hint" }, t("shell.notKept")));
}

function offer(host: HTMLElement, next: ServiceWorker): void {
  const state = h("span", { role: "status" });
  navigator.serviceWorker.addEventListener("message", () => { state.textContent = t("shell.otherTabs"); });
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  replace(host, h("div", { class: "box row" }, h("span", null, t("shell.newVersion")), button(t("shell.load"), () => {
    if (wouldLose()) state.textContent = t("shell.saveFirst");
    else next.postMessage("take over");
  }), state));
}

/** wouldLose asks whoever would ask before the tab is closed. */
function wouldLose(): boolean {
  return !window.dispatchEvent(new Event("beforeunload", { cancelable: true }));
}
