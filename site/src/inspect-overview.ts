// The first view of a drop: what it is, whether it is sound, its token, what is
// wrong with it, and the two pictures.

import type { Failure, Inspection, Token, Verification } from "../../wasm/engine";
import { linkRoles } from "./draw";
import type { EngineClient } from "./engine";
import { adminCard, exportsCard, fullToken } from "./handover";
import { t } from "./i18n";
import type { Drop } from "./inspect-call";
import { livesFigure, livesOf, treeFigure } from "./inspect-certificates";
import { leftOut, unread } from "./inspect-drop";
import { nodesOf } from "./inspect-files";
import { findingsCard, list } from "./inspect-findings";
import { number, plural, term } from "./inspect-words";
import { button, command, day, h, mark, type Child } from "./ui";

/** Report is what the engine says of a drop, in one language. */
export interface Report {
  lang: string;
  inspection: Inspection;
  /** Absent where there is no bundle of CA files to judge. */
  verification?: Verification;
  /** Why it could not be judged, as of several clusters in one drop. */
  trouble?: Failure;
}

export interface OverviewOptions {
  engine: EngineClient;
  drop: Drop;
  report: Report;
  /** Opens a certificate in its table. */
  onpick: (fingerprint: string) => void;
  oncompare: () => void;
}

export function overview(o: OverviewOptions): Child {
  const { report, drop } = o;
  const { inspection, verification } = report;
  const found = [...verification?.findings ?? [], ...inspection.findings.filter((f) =>
    !verification?.findings.some((v) => v.code === f.code && v.subject === f.subject))];
  const host = h("div", { class: "columns" },
    h("div", { class: "stack wide" },
      h("section", { class: "card stack" }, verdict(o, found.length), facts(report)),
      findingsCard(found, { none: t(verification ? "ui.noFindings" : "inspect.noneFound") }),
      verification?.token && tokenCard(o, verification.token)),
    h("div", { class: "stack wide" },
      inspection.certificates.length + inspection.keys.length > 0 && h("section", { class: "card" }, treeFigure(inspection, o.onpick)),
      inspection.certificates.length > 0 && h("section", { class: "card" }, livesFigure(livesOf(inspection), { now: inspection.at })),
      (drop.left.length > 0 || drop.passed > 0) && h("section", { class: "card stack" }, leftOut(drop.left, drop.passed, unread(drop).length > 0))));
  linkRoles(host);
  return h("div", { class: "stack wide" }, host, verification && !found.some((f) => f.severity === "error")
    && h("div", { class: "columns" }, exportsCard(o.engine, drop), adminCard(o.engine, drop)));
}

/** verdict is one sentence: sound or not, or that there is nothing to judge. */
function verdict({ report, drop, oncompare }: OverviewOptions, found: number): Child {
  const { inspection, verification, trouble } = report;
  if (!verification && nodesOf(drop.files).length > 1) {
    return h("div", { class: "box stack" }, h("b", null, t("inspect.several")), h("p", null, t("inspect.severalHelp")),
      h("div", { class: "row" }, button(t("inspect.compareThese"), oncompare)));
  }
  if (trouble) return h("div", { class: "box warning stack" }, trouble.findings.length > 0 ? list(trouble.findings) : h("b", null, trouble.message));
  if (!verification) {
    const empty = inspection.certificates.length + inspection.keys.length === 0;
    const help = !empty ? "inspect.notBundleHelp" : found > 0 ? "inspect.holdsNothingFound" : "inspect.nothingHelp";
    return h("div", { class: empty ? "box warning" : "box" }, h("b", null, t(empty ? "inspect.holdsNothing" : "inspect.notBundle")), h("p", null, t(help)));
  }
  const errors = verification.findings.filter((f) => f.severity === "error").length;
  const warnings = verification.findings.filter((f) => f.severity === "warning").length;
  const kind = errors > 0 ? "error" : warnings > 0 ? "warning" : "ok";
  return h("div", { class: `box ${kind}` }, h("b", { class: "verdict" }, mark(kind), t(`inspect.verdict.${kind}`)),
    h("p", null, t(`inspect.verdict.${kind}Text`)));
}

function facts({ inspection, verification }: Report): HTMLElement {
  const keyed = inspection.keys.filter((k) => k.certificate >= 0).length;
  const rows: [string, Child][] = [
    [t("inspect.is"), verification && [verification.distro, topologyWord(verification.topology)].filter(Boolean).join(" · ")],
    [t("inspect.holds"), [plural("inspect.certificates", inspection.certificates.length), t("ui.comma"),
      plural("inspect.keys", inspection.keys.length), keyed > 0 && t("inspect.matched", { n: number(keyed) })]],
    [t("inspect.firstEnd"), verification?.nextExpiry && `${day(verification.nextExpiry.end)} · ${verification.nextExpiry.name}`],
    [t("inspect.probes"), verification && verification.probes.go.run > 0 && t("inspect.probesText", {
      go: verification.probes.go.run - verification.probes.go.failed, goRun: verification.probes.go.run,
      path: verification.probes.path.run - verification.probes.path.failed, pathRun: verification.probes.path.run })],
  ];
  return h("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", null, name), h("dd", null, value)]));
}

/** topologyWord names a topology; the two of the page's own and those of clusters. */
export const topologyWord = (topology: string | undefined): string => term("inspect.topology", topology || "unknown");

/** tokenMode says what the hash of a token rests on. */
export const tokenMode = (token: Token): string =>
  t(`inspect.token.${token.mode}`, { root: token.root ?? "", until: token.until ? day(token.until) : "", reason: token.reason ?? "" });

function tokenCard({ engine, drop }: OverviewOptions, token: Token): HTMLElement {
  return h("section", { class: "card stack", "aria-labelledby": "inspect-token" },
    h("h2", { id: "inspect-token" }, t("inspect.tokenTitle")), command(token.token), h("p", { class: "hint" }, tokenMode(token)), fullToken(engine, drop));
}
