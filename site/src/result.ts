// The receipt: what was made, where it is, until when it lives, what comes next.
// Keys are in two archives in this tab's memory until they are saved or forgotten.

import type { NamedFile, Receipt } from "../../wasm/engine";
import type { EngineClient } from "./engine";
import { adminCard, bundleOf, exportsCard, fullToken, part } from "./handover";
import { t } from "./i18n";
import { qrImage } from "./qr-view";
import { printSheet } from "./result-sheet";
import { button, command, copyButton, date, day, findings, fingerprint, h, mark, prose, replace, size, table, type Child } from "./ui";

export interface Result {
  receipt: Receipt;
  files: NamedFile[];
  /** Of the plan, for the print sheet and the exports. */
  name: string;
  sealed: boolean;
  /** Milliseconds that making took. */
  elapsed: number;
  /** Names of files that were saved. */
  saved: Set<string>;
}

export interface ResultOptions {
  engine: EngineClient;
  /** Something was saved: the leave question may not be needed any more. */
  onsaved: () => void;
  /** Ends the worker and drops everything. */
  onforget: () => void;
}

/** unsaved says whether keys would be lost with the tab. */
export const unsaved = (r: Result): boolean => r.files.some((f) => !r.saved.has(f.name));

/** resultView is the whole receipt. */
export function resultView(r: Result, o: ResultOptions): HTMLElement {
  const { receipt } = r;
  return h("div", { class: "result" },
    h("header", { class: "stack result-head" },
      h("h2", { tabindex: -1, class: "result-title" }, mark("ok"), t("result.title")),
      h("p", { class: "muted" }, [receipt.distro, r.name, t(`make.${receipt.topology}`),
        t("result.lives", { date: day(receipt.ends), role: endsFirst(receipt) }), t("result.took", { ms: Math.round(r.elapsed) })].filter(Boolean).join(" · "))),
    h("div", { class: "columns" },
      h("div", { class: "stack wide" }, downloads(r, o), install(receipt), exportsCard(o.engine, bundleOf(r.files[0]!), r.name), adminCard(o.engine, bundleOf(r.files[0]!))),
      h("div", { class: "stack wide" }, identity(r, o.engine), token(r, o.engine), keepSafe(r), inside(receipt), found(receipt))),
    h("div", { class: "bar" },
      h("span", { class: "muted" }, t("result.inMemory")),
      button(t("result.forget"), o.onforget, "danger")),
    printSheet(r, o.engine));
}

const endsFirst = (r: Receipt): string => r.certificates.find((c) => c.role === r.endsFirst)?.name ?? r.endsFirst;

function downloads(r: Result, o: ResultOptions): HTMLElement {
  const row = (file: NamedFile, kind: "server" | "offline"): HTMLElement => part({
    file, kind, title: t(`result.${kind}`), hint: t(`result.${kind}Hint`), button: "primary big", saved: r.saved, onsaved: o.onsaved,
    note: t(kind === "offline" && r.sealed ? "result.sealed" : "result.unsealed"),
  });
  const [server, offline] = r.files;
  return h("section", { class: "card stack", "aria-labelledby": "result-files" }, h("h2", { id: "result-files" }, t("result.files")),
    server && row(server, "server"), offline ? row(offline, "offline") : h("p", { class: "hint" }, t("result.noOffline")));
}

/** keepSafe says what the offline part is for, beside it and not in a manual. */
function keepSafe(r: Result): Child {
  if (r.files.length < 2) return null;
  return h("section", { class: "card stack", "aria-labelledby": "result-safe" }, h("h2", { id: "result-safe" }, t("result.keepSafe")),
    h("ul", { class: "dots" }, ["keep1", "keep2", "keep3", r.sealed ? "keepSealed" : "keepOpen"].map((k) => h("li", null, t(`result.${k}`)))));
}

function identity(r: Result, engine: EngineClient): HTMLElement {
  const { receipt } = r;
  const code = h("div", { class: "qr-small" });
  void qrImage(engine, receipt.rootSHA256, t("result.rootQR")).then((img) => replace(code, img), () => {});
  return h("section", { class: "card stack", "aria-labelledby": "result-root" }, h("h2", { id: "result-root" }, t("result.root")),
    h("div", { class: "identity" }, h("div", { class: "stack" }, h("p", null, fingerprint(receipt.rootSHA256)),
      h("div", { class: "row" }, copyButton(receipt.rootSHA256), button(t("result.print"), () => window.print(), "quiet"))), code),
    h("p", { class: "hint" }, t("result.rootHint")));
}

function token(r: Result, engine: EngineClient): HTMLElement {
  const { receipt } = r;
  return h("section", { class: "card stack", "aria-labelledby": "result-token" }, h("h2", { id: "result-token" }, t("result.token")),
    command(receipt.token),
    h("p", { class: "hint" }, t(`result.mode.${receipt.tokenMode}`, { until: day(receipt.tokenUntil) })),
    fullToken(engine, bundleOf(r.files[0]!)));
}

function install(receipt: Receipt): HTMLElement {
  return h("section", { class: "card stack", "aria-labelledby": "result-install" }, h("h2", { id: "result-install" }, t("result.install")),
    h("ol", { class: "steps" }, receipt.install.map((s) => h("li", null, h("b", null, s.title),
      !s.commands.some((c) => s.text.includes(c)) && h("p", { class: "hint sentence" }, prose(s.code === "seal" ? t("result.sealHow") : s.text)), s.commands.map((c) => command(c))))));
}

function inside(receipt: Receipt): HTMLElement {
  return h("section", { class: "card stack", "aria-labelledby": "result-inside" }, h("h2", { id: "result-inside" }, t("result.inside")),
    h("details", { class: "more" }, h("summary", null, t("result.certificates", { n: receipt.certificates.length })), table({
      caption: t("result.certificates", { n: receipt.certificates.length }),
      head: [t("draw.certificate"), t("draw.until"), "SHA-256", t("result.origin")],
      rows: receipt.certificates.map((c) => ({ cells: [c.name, date(c.notAfter),
        [h("code", { title: c.sha256, translate: "no" }, `${c.sha256.slice(0, 16)}…`), " ", copyButton(c.sha256, t("ui.copy"), "quiet tight", { "aria-label": t("result.copyOf", { name: c.name }) })],
        t(c.made ? "result.made" : "result.given")] })),
    })),
    h("details", { class: "more" }, h("summary", null, t("result.fileList", { n: receipt.files.length })), table({
      caption: t("result.fileList", { n: receipt.files.length }), class: "files",
      head: [t("make.path"), t("make.mode"), t("result.size"), t("result.part")],
      rows: receipt.files.map((f) => ({ cells: [h("code", { translate: "no" }, f.path), h("code", null, f.mode), size(f.size), t(`result.${f.part}Short`)] })),
    })),
    h("p", { class: "hint" }, t("result.digest"), " ", fingerprint(receipt.planDigest)));
}

function found(receipt: Receipt): Child {
  if (receipt.findings.length === 0) return null;
  return h("section", { class: "card stack", "aria-labelledby": "result-findings" }, h("h2", { id: "result-findings" }, t("make.findings")), findings(receipt.findings));
}
