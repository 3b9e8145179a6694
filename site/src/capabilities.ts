// What the page needs of a browser, and a panel of its own where that is missing:
// a page that fails half-way through making keys is worse than one that says at
// once what works instead.

import { about } from "./about";
import { t } from "./i18n";
import { command, h } from "./ui";

/** What the page cannot do without, by the key of its sentence. */
const needs: Record<string, () => boolean> = {
  // By plain http anybody on the way can change the page; browsers withhold WebCrypto there.
  "shell.missing.secure": () => isSecureContext,
  "shell.missing.wasm": () => typeof WebAssembly === "object",
  "shell.missing.random": () => typeof crypto?.getRandomValues === "function",
  "shell.missing.worker": () => typeof Worker === "function",
};

/** missing lists what this browser lacks. */
export const missing = (): string[] => Object.entries(needs).filter(([, there]) => !there()).map(([key]) => key);

/** Without WebCrypto the engine makes RSA keys by itself, and takes longer. */
export const hasWebCrypto = (): boolean => typeof crypto.subtle?.generateKey === "function";

const dayLength = 86_400_000;
/** Nobody opens a page of this age; a clock with no battery does. */
const oldest = 20 * 365 * dayLength;

/** clockTrouble is the sentence for a clock that cannot be right; "" for all others. */
export function clockTrouble(): string {
  const built = Date.parse(about.time), now = Date.now();
  const key = now < built - dayLength ? "shell.clock" : now > built + oldest ? "shell.clockAhead" : "";
  return key && t(key, { day: about.time.slice(0, 10), now: new Date(now).toISOString().slice(0, 10) });
}

/** missingPanel says what is missing and what works instead. */
export function missingPanel(keys: string[]): HTMLElement {
  return h("section", { class: "card stack unable" },
    h("h2", null, t("shell.missing.title")),
    h("ul", { class: "dots" }, keys.map((key) => h("li", null, t(key)))),
    h("p", null, t("shell.missing.instead")),
    command("rootkiln bundle"));
}
