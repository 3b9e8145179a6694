// Two drops: one runs, the other is to replace it. What `rotate-ca` answers, file
// by file, what it does not check, and what becomes of the join token.

import type { Against, Token, Verification } from "../../wasm/engine";
import { failureOf } from "./engine";
import { fullToken } from "./handover";
import { t } from "./i18n";
import { query, type Drop } from "./inspect-call";
import { topologyWord, tokenMode } from "./inspect-overview";
import { saySoon, zone } from "./inspect-drop";
import { findingsCard, trouble } from "./inspect-findings";
import { session, type Context } from "./inspect-session";
import { term } from "./inspect-words";
import { announce, button, command, h, mark, replace, table, uid, type Child } from "./ui";

/** What is judged as the successor of something. */
type Replacement = Verification & { against: Against };

export function againstView(c: Context): Child {
  const out = h("div", { class: "stack wide" });
  const name = uid("runs");
  const second = session.second;
  if (second) void judge(c, second, out);
  const choice = (value: "first" | "second", title: string, hint: string): HTMLElement => h("label", { class: "tile" },
    h("input", { type: "radio", name, value, checked: session.runs === value, onchange: () => { session.runs = value; if (second) void judge(c, second, out); } }),
    h("b", null, title), h("span", { class: "hint" }, hint));
  return h("div", { class: "stack wide" },
    h("section", { class: "card stack" },
      h("h2", null, t("against.title")), h("p", { class: "hint" }, t("against.text")),
      second
        ? [h("fieldset", null, h("legend", { class: "label" }, t("against.runs")), h("div", { class: "tiles" },
            choice("first", c.drop.label, t("against.firstText", { label: second.label })),
            choice("second", second.label, t("against.secondText", { label: c.drop.label })))),
          h("div", { class: "row" }, button(t("against.other"), () => { delete session.second; c.redraw(); }, "quiet"))]
        : zone({ label: t("against.choose"), hint: t("against.hint"), ondrop: (d) => { session.second = d; c.redraw(); } }).el),
    out);
}

async function judge(c: Context, second: Drop, out: HTMLElement): Promise<void> {
  const said = saySoon(t("inspect.judging"));
  const runs = session.runs;
  const [old, next] = runs === "first" ? [c.drop, second] : [second, c.drop];
  replace(out, h("p", { class: "muted", role: "status" }, t("inspect.judging")));
  try {
    const answer = await query(c.engine, "verify", [next, old], ([set, against]) => ({ set, against }));
    const value = answer.value as Replacement;
    if (session.second !== second || session.runs !== runs) return;
    replace(out, h("div", { class: "columns" },
      h("div", { class: "stack wide" }, rulingCard(value), tokensCard(value, () => fullToken(c.engine, next!))),
      findingsCard(value.findings)));
    announce(t(verdictKey(value)));
  } catch (error) {
    if (session.second !== second) return;
    replace(out, trouble(t("against.cannot"), failureOf(error)));
  } finally {
    said();
  }
}

const verdictKey = (r: Replacement): string =>
  r.against.ruling === null ? "against.unjudged" : !r.against.ruling.saved ? "against.refused"
    : r.findings.some((f) => f.severity === "error") ? "against.acceptedBroken"
      : r.findings.some((f) => f.severity === "warning") ? "against.acceptedWarned" : "against.accepted";

/** rulingCard is what the server will answer, per file in the order of its judgement. */
export function rulingCard(r: Replacement): HTMLElement {
  const { ruling, forceHides } = r.against;
  const key = verdictKey(r);
  const kind = key === "against.accepted" ? "ok" : key === "against.unjudged" || key === "against.acceptedWarned" ? "warning" : "error";
  const caption = t("against.perFile");
  return h("section", { class: "card stack", "aria-labelledby": "against-verdict" },
    h("h2", { id: "against-verdict" }, t("against.verdict")),
    h("div", { class: `box ${kind}` }, h("b", { class: "verdict" }, mark(kind), t(key)), h("p", null, t(`${key}Text`))),
    ruling && !ruling.saved && forceHides.length > 0 && h("div", { class: "box warning" }, h("b", null, t("against.force")),
      h("p", null, t("against.forceText")), h("p", null, forceHides.map((code) => [h("code", { translate: "no" }, code), " "]))),
    ruling && [table({
      caption, titled: true, head: [t("inspect.file"), t("against.from"), t("against.answer")],
      rows: ruling.files.map((f) => ({ cells: [h("code", { translate: "no" }, f.path), t(f.offered ? "against.offered" : "against.own"),
        f.refused ? h("span", { class: "badge error" }, term("against.check", f.refused)) : h("span", { class: "badge ok" }, t("against.fileAccepted"))] })),
    }), ruling.log && h("details", { class: "more" }, h("summary", null, t("against.log")), command(ruling.log))]);
}

/** tokensCard puts the join token of today beside that of afterwards; full makes the
 *  whole of a new one. */
export function tokensCard(r: Replacement, full: () => Child): Child {
  const now = r.against.token, then = r.token;
  const row = (label: string, token: Token | undefined): Child =>
    token && [h("h3", null, label), command(token.token), h("p", { class: "hint" }, tokenMode(token))];
  if (!now && !then) return null;
  return h("section", { class: "card stack", "aria-labelledby": "against-token" },
    h("h2", { id: "against-token" }, t("inspect.tokenTitle")),
    h("p", { class: "none" }, mark(r.against.tokenKept ? "ok" : "warning"), t(r.against.tokenKept ? "against.tokenKept" : "against.tokenNew")),
    r.against.tokenKept ? row(t("against.tokenBoth"), then) : [row(t("against.tokenNow"), now), row(t("against.tokenThen"), then), full()],
    r.topology !== r.against.topology && h("p", { class: "hint" }, t("against.topologies", { now: topologyWord(r.against.topology), then: topologyWord(r.topology) })));
}
