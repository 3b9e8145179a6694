// What will be broken on a date: the expiry report at any day, what a restart then
// renews, what stays broken, and the commands that mend it.

import type { ExpiryReport, ExpiryRow, Remedy } from "../../wasm/engine";
import { failureOf } from "./engine";
import { t } from "./i18n";
import { livesFigure, livesOf } from "./inspect-certificates";
import { query } from "./inspect-call";
import { findingsCard, trouble } from "./inspect-findings";
import { session, today, type Context } from "./inspect-session";
import { number, placeOf, plural, term } from "./inspect-words";
import { announce, button, command, day, h, mark, prose, replace, table, uid, type Child } from "./ui";

const windows = ["30d", "90d", "120d", "1y"];
const dayLength = 86_400_000;
/** Milliseconds without a movement of the slider before the engine is asked. */
const pause = 180;
/** Rows of the table at most; a report over many nodes has thousands. */
const shown = 400;

export function checkView(c: Context): Child {
  const out = h("div", { class: "stack wide", "aria-live": "off" });
  const ends = c.report.inspection.certificates.map((x) => Date.parse(x.notAfter));
  const first = Math.floor(Date.now() / dayLength);
  const last = Math.max(first + 365, ...ends.map((e) => Math.ceil(e / dayLength) + 30).filter((d) => d < first + 365 * 200));
  const id = uid("at");
  const date = h("input", { type: "date", id, value: session.at, onchange: () => { if (date.value) move(date.value); } });
  const slider = h("input", {
    type: "range", class: "date-slider", min: first, max: last, value: Math.floor(Date.parse(session.at) / dayLength), "aria-label": t("check.slider"),
    "aria-valuetext": session.at, oninput: () => move(new Date(Number(slider.value) * dayLength).toISOString().slice(0, 10)),
  });
  const within = h("select", { id: `${id}-w`, value: session.within, onchange: () => { session.within = within.value; ask(0); } },
    windows.map((w) => h("option", { value: w }, t(`check.within.${w}`))));
  let timer = 0, asked = 0;

  const move = (to: string): void => {
    session.at = to;
    date.value = to;
    slider.value = String(Math.floor(Date.parse(to) / dayLength));
    slider.setAttribute("aria-valuetext", to);
    ask(pause);
  };
  const ask = (wait: number): void => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void report(), wait);
  };
  const report = async (): Promise<void> => {
    const n = ++asked;
    try {
      const { value } = await query(c.engine, "check", [c.drop], ([set]) => ({ set, within: session.within, ...moment() }));
      if (n !== asked) return;
      replace(out, result(value, c));
      announce(sentence(value));
    } catch (error) {
      if (n !== asked) return;
      replace(out, trouble("", failureOf(error)));
    }
  };
  ask(0);
  return h("div", { class: "stack wide" },
    h("section", { class: "card stack" }, h("h2", null, t("check.title")), h("p", { class: "hint" }, t("check.text")),
      h("div", { class: "row date-row" },
        h("div", { class: "field" }, h("label", { for: id }, t("check.at")), date),
        h("div", { class: "field" }, h("label", { for: `${id}-w` }, t("check.within")), within),
        h("div", { class: "row" }, milestones(c).map(([label, when]) => button(label, () => move(when), "quiet")))),
      slider),
    out);
}

/** The moment of the report: today means now, another day its beginning. */
const moment = (): { at?: string } => session.at === today() ? {} : { at: `${session.at}T00:00:00Z` };

/** Days worth a look: today, and those behind the next ends of all. */
function milestones({ report }: Context): [string, string][] {
  const after = report.inspection.certificates.map((x) => Date.parse(x.notAfter)).filter((e) => e > Date.now()).sort((a, b) => a - b);
  const next = [...new Set(after.map((e) => new Date(e + dayLength).toISOString().slice(0, 10)))];
  const out: [string, string][] = [[t("check.today"), today()]];
  if (next[0]) out.push([t("check.next"), next[0]]);
  if (next.length > 1) out.push([t("check.last"), next.at(-1)!]);
  return out;
}

const counts = (rows: ExpiryRow[]): ExpiryRow[] => rows.filter((r) => r.first && r.kind !== "backup");

function sentence(r: ExpiryReport): string {
  const rows = counts(r.Certificates);
  const of = (...s: string[]): string => number(rows.filter((x) => s.includes(x.Status)).length);
  return t(r.alarm ? "check.alarm" : "check.quiet", { date: day(r.at), bad: of("EXPIRED", "NOT YET VALID"), soon: of("WARNING"), days: r.withinDays, fine: of("OK") });
}

function result(r: ExpiryReport, c: Context): Child {
  const rows = counts(r.Certificates).sort((a, b) => Date.parse(a.notAfter) - Date.parse(b.notAfter));
  if (rows.length === 0 && r.findings.length === 0) return h("div", { class: "box" }, t("check.nothing"));
  const kind = rows.some((x) => x.Status === "EXPIRED" || x.Status === "NOT YET VALID") || r.findings.some((f) => f.severity === "error") ? "error" : r.alarm ? "warning" : "ok";
  return [
    h("div", { class: `box ${kind}` }, h("b", { class: "verdict" }, mark(kind), sentence(r))),
    h("div", { class: r.findings.length + r.remedies.length > 0 ? "columns" : "" },
      r.findings.length + r.remedies.length > 0 && h("div", { class: "stack wide" },
        r.findings.length > 0 && findingsCard(r.findings),
        remedyCard(r.remedies)),
      h("section", { class: "card" }, livesFigure(livesOf(c.report.inspection), { now: new Date().toISOString(), ...(moment().at ? { at: { time: r.at, word: day(r.at) } } : {}) }))),
    h("section", { class: "card stack" }, h("h2", null, t("check.table")), expiryTable(rows)),
  ];
}

function expiryTable(rows: ExpiryRow[]): Child {
  return [table({
    caption: t("check.table"),
    head: [t("inspect.file"), t("inspect.subject"), t("check.status"), t("inspect.until"), t("check.left"), t("check.restart"), t("inspect.issuer")],
    rows: rows.slice(0, shown).map((r) => ({ props: { "data-role": r.fingerprint }, cells: [
      [h("code", { translate: "no" }, placeOf({ ...r, file: r.path })), r.copies > 0 && h("span", { class: "muted" }, ` +${number(r.copies)}`)],
      r.Subject, statusBadge(r), h("span", { class: "date" }, day(r.notAfter)), h("span", { class: "date" }, t("check.days", { n: number(r.daysLeft) })),
      r.restart ? term("check.restart", r.restart) : "", r.Issuer] })),
  }), rows.length > shown && h("p", { class: "hint" }, t("inspect.andMore", { n: number(rows.length - shown) }))];
}

function statusBadge(r: ExpiryRow): HTMLElement {
  const kind = { OK: "ok", WARNING: "warning", EXPIRED: "error", "NOT YET VALID": "error" }[r.Status];
  return h("span", { class: `badge ${kind}` }, term("check.status", r.Status));
}

/** remedyCard lists commands that mend things, in the order to apply them. */
export function remedyCard(remedies: Remedy[]): Child {
  if (remedies.length === 0) return null;
  return h("section", { class: "card stack" }, h("h2", null, t("check.remedies")), h("ol", { class: "steps" }, remedies.map((r) => h("li", null,
    h("p", null, prose(r.what)),
    h("details", { class: "more" }, h("summary", null, plural("check.for", r.for.length)),
      h("ul", null, r.for.slice(0, shown).map((f) => h("li", null, h("code", { translate: "no" }, f))))),
    r.commands.length > 0 && command(r.commands.join("\n"))))));
}
