// The promise of the page and what can be seen of its keeping: whether there is a
// network, and how many requests the page has made since its engine was there.

import type { EngineClient } from "./engine";
import { t } from "./i18n";
import { h, replace, type Child } from "./ui";

/** promise is the line; it keeps itself up to date. */
export function promise(engine: EngineClient): { el: HTMLElement; draw: () => void } {
  const el = h("p", { class: "promise" });
  let requests = 0;
  let loaded = false;
  const draw = (): void => {
    const [kind, words] = state(requests, loaded);
    replace(el, h("b", null, t("shell.promise")), h("span", { class: `live ${kind}`, role: "status" }, words));
  };
  addEventListener("online", draw);
  addEventListener("offline", draw);
  engine.watch((now) => {
    if (now.name !== "ready" || loaded) return;
    // The worker may be started again later: that is a file of this page, from the
    // browser's cache.
    new PerformanceObserver((list) => {
      const sent = list.getEntriesByType("resource").filter((e) => isRequest(e as PerformanceResourceTiming)).length;
      if (sent === 0) return;
      requests += sent;
      draw();
    }).observe({ type: "resource" });
    loaded = true;
    draw();
  });
  draw();
  return { el, draw };
}

/** isRequest: what the browser's own cache answered did not leave this machine. */
function isRequest({ name, transferSize, decodedBodySize }: PerformanceResourceTiming): boolean {
  const here = name.startsWith(`${location.origin}/`);
  return /^(https?|wss?):/.test(name) && !(here && transferSize === 0 && decodedBodySize > 0);
}

function state(requests: number, loaded: boolean): [kind: string, words: Child] {
  if (requests > 0) return ["sent", t("shell.requests", { n: requests })];
  if (location.protocol === "file:") return ["off", t("shell.fromFile")];
  if (!navigator.onLine) return ["off", t("shell.offline")];
  return ["on", t(loaded ? "shell.online" : "shell.fetching")];
}
