// Making: a row for each key, what is going on in words, and a way out.

import type { Planned, Step } from "../../wasm/engine";
import { hasWebCrypto } from "./capabilities";
import type { Growth } from "./draw";
import { t } from "./i18n";
import { announce, button, h, s } from "./ui";

export interface Run {
  el: HTMLElement;
  progress: (step: string) => void;
  growth: (role: string) => Growth | undefined;
  signal: AbortSignal;
  /** Ends the clock of the view. */
  end: () => void;
}

/** Seconds between two sentences for a screen reader. */
const spoken = 4;
/** Seconds after which a search deserves an explanation. */
const slow = 4;

/** run is the view of one making; grown is called when a key begins or is there. */
export function run(planned: Planned, grown: () => void): Run {
  const control = new AbortController();
  const state = new Map<string, Growth>(planned.keys.map((k) => [k.role, "waiting"]));
  const began = new Map<string, number>();
  const rows = new Map(planned.keys.map((k) => [k.role, row(k.name, k.key)]));
  const total = h("progress", { max: Math.max(1, planned.keys.length), value: 0, "aria-label": t("run.title") });
  const count = h("span", { class: "hint" });
  const luck = h("p", { class: "hint", role: "status" }, !hasWebCrypto() && t("run.byItself"));
  let done = 0, said = performance.now();

  const set = (role: string, to: Growth, text: string): void => {
    state.set(role, to);
    const r = rows.get(role);
    if (!r) return;
    r.el.className = `key ${to}`;
    r.text.textContent = text;
    grown();
  };
  const tick = setInterval(() => {
    const now = performance.now();
    for (const [role, from] of began) {
      if (state.get(role) !== "searching") continue;
      const seconds = Math.floor((now - from) / 1000);
      if (seconds > 0) rows.get(role)!.text.textContent = t("run.searchingFor", { n: seconds });
      const key = planned.keys.find((k) => k.role === role)?.key ?? "";
      if (seconds >= slow && key.startsWith("rsa")) luck.textContent = t("run.luck");
    }
    if (now - said > spoken * 1000) {
      said = now;
      announce(t("run.spoken", { done, total: planned.keys.length }));
    }
  }, 500);

  show();
  function show(): void { count.textContent = t("run.count", { done, total: planned.keys.length }); }
  return {
    el: h("section", { class: "card stack making", "aria-labelledby": "run-title" },
      h("div", { class: "row spread" }, h("h2", { id: "run-title", tabindex: -1 }, t("run.title")), count), total,
      h("ul", { class: "keys" }, [...rows.values()].map((r) => r.el)), luck,
      h("div", { class: "row" }, button(t("run.cancel"), () => control.abort()), h("span", { class: "hint" }, t("run.cancelHint")))),
    signal: control.signal,
    growth: (role) => state.get(role),
    end: () => clearInterval(tick),
    progress(json) {
      const step = JSON.parse(json) as Step;
      if (step.phase === "start") {
        began.set(step.role, performance.now());
        set(step.role, "searching", t("run.searching"));
        return;
      }
      if (state.get(step.role) !== "done") done++;
      total.value = done;
      show();
      set(step.role, "done", t("run.done", { ms: Math.round(step.elapsed) }));
    },
  };
}

function row(name: string, key: string): { el: HTMLElement; text: HTMLElement } {
  const text = h("span", { class: "hint state" }, t("run.waiting"));
  const el = h("li", { class: "key waiting" },
    s("svg", { class: "keymark", viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": true },
      s("circle", { cx: 8, cy: 8, r: 6 }), s("path", { d: "M5 8.3l2.2 2.2L11.2 6" })),
    h("span", null, name), h("code", { class: "hint" }, key), text);
  return { el, text };
}
