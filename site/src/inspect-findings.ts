// The card of findings that every view has.

import type { Finding } from "../../wasm/engine";
import { t } from "./i18n";
import { counted, findings, h, uid, type Child, type FindingOptions } from "./ui";

/** Errors that stand open from the start; more of them would hide one another. */
const few = 3;

/** list shows findings; of few errors each with why and fix. */
export function list(found: Finding[], o: FindingOptions = {}): HTMLElement {
  const errors = found.filter((f) => f.severity === "error").length;
  return findings(found, { open: errors <= few ? ["error"] : [], ...o });
}

/** findingsCard is a list with its heading and counts. */
export function findingsCard(found: Finding[], o: FindingOptions & { lang?: string } = {}): Child {
  const id = uid("findings");
  return h("section", { class: "card stack", "aria-labelledby": id },
    h("h2", { id }, t("inspect.findings"), found.length > 0 && h("span", { class: "muted" }, ` · ${counted(found)}`)),
    h("div", { lang: o.lang }, list(found, o)));
}

/** trouble is a refusal in place of a view: its findings, or its sentence. */
export function trouble(title: string, f: { message: string; findings: Finding[] }, o: FindingOptions = {}): HTMLElement {
  return h("div", { class: "box error stack", role: "alert", tabindex: -1 }, title && h("b", null, title),
    f.findings.length > 0 ? list(f.findings, o) : h("p", null, f.message));
}
