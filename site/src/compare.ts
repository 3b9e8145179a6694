// Servers side by side after a rotation: which has which file, why one was left
// behind, and what mends it.

import type { Cell, ComparedNode, Comparison } from "../../wasm/engine";
import { remedyCard } from "./check";
import { failureOf } from "./engine";
import { t } from "./i18n";
import { query, type Drop } from "./inspect-call";
import { dropFrom, saySoon, zone } from "./inspect-drop";
import { nodesOf } from "./inspect-files";
import { findingsCard, trouble } from "./inspect-findings";
import { session, type Context, type Node } from "./inspect-session";
import { number, plural, term } from "./inspect-words";
import { announce, button, day, h, mark, replace, table, uid, type Child } from "./ui";

/** nodesFrom makes a node of a drop, or several where it holds folders of several. */
export function nodesFrom(drop: Drop): Node[] {
  const parts = nodesOf(drop.files);
  if (parts.length < 2) return [{ label: drop.label, drop: { ...drop } }]; // its label is the node's own from here
  return parts.map((p) => ({ label: p.label, drop: { ...dropFrom(p.files, p.label), ...(drop.passphrase ? { passphrase: drop.passphrase } : {}) } }));
}

/** distinct gives nodes of one name (tls.tar.gz of every server) a number each. */
function distinct(nodes: Node[]): Node[] {
  const taken = new Set<string>();
  for (const n of nodes) {
    const plain = n.label;
    for (let i = 2; taken.has(n.label); i++) n.label = `${plain} (${i})`;
    taken.add(n.label);
    n.drop.label = n.label;
  }
  return nodes;
}

export function compareView(c: Context): Child {
  if (session.nodes.length === 0) session.nodes = nodesFrom(c.drop);
  const nodes = distinct(session.nodes);
  const out = h("div", { class: "stack wide" });
  let asked = 0;
  const run = async (): Promise<void> => {
    const n = ++asked;
    if (nodes.length < 2) return;
    const said = saySoon(t("inspect.judging"));
    const { staged } = session;
    if (!out.hasChildNodes()) replace(out, h("p", { class: "muted", role: "status" }, t("inspect.judging")));
    const drops = nodes.map((x) => x.drop);
    try {
      const { value } = await query(c.engine, "compare", staged ? [...drops, staged] : drops, (sets) =>
        staged ? { sets: sets.slice(0, -1), staged: sets.at(-1) } : { sets });
      if (n !== asked) return;
      replace(out, result(value));
      announce(verdict(value));
    } catch (error) {
      if (n !== asked) return;
      replace(out, trouble("", failureOf(error)));
    } finally {
      said();
    }
  };
  void run();
  const row = (n: Node, i: number): HTMLElement => {
    const id = uid("node");
    const input = h("input", {
      type: "text", id, value: n.label, autocomplete: "off", spellcheck: false,
      onchange: () => { n.label = input.value.trim() || n.drop.label; distinct(nodes); input.value = n.label; void run(); },
    });
    return h("li", { class: "node-row" }, h("label", { for: id, class: "visually-hidden" }, t("compare.name", { n: i + 1 })), input,
      h("span", { class: "hint" }, plural("inspect.files", n.drop.files.length)),
      button(t("compare.remove"), () => { session.nodes = nodes.filter((x) => x !== n); c.redraw(); }, "quiet tight", { "aria-label": t("compare.removeNode", { name: n.label }) }));
  };
  const { staged } = session;
  return h("div", { class: "stack wide" },
    h("section", { class: "card stack" }, h("h2", null, t("compare.title")), h("p", { class: "hint" }, t("compare.text")),
      h("ul", { class: "nodes" }, nodes.map(row)),
      zone({ label: t("compare.add"), small: true, hint: t(nodes.length < 2 ? "compare.addHintFirst" : "compare.addHint"),
        ondrop: (d) => { session.nodes = [...nodes, ...nodesFrom(d)]; c.redraw(); } }).el,
      h("details", { class: "more", open: staged !== undefined }, h("summary", null, t("compare.staged")),
        staged ? h("div", { class: "row" }, h("code", { translate: "no" }, staged.label), button(t("compare.remove"), () => { delete session.staged; c.redraw(); }, "quiet tight"))
          : zone({ label: t("compare.stagedChoose"), small: true, hint: t("compare.stagedHint"), ondrop: (d) => { session.staged = d; c.redraw(); } }).el)),
    out);
}

const sound = (c: Comparison): boolean => c.equal && c.findings.every((f) => f.severity === "notice");
const verdict = (c: Comparison): string => t(sound(c) ? "compare.equal" : c.equal ? "compare.equalBut" : "compare.differ", { n: number(c.nodes.length) });

function result(c: Comparison): Child {
  const kind = sound(c) ? "ok" : c.findings.some((f) => f.severity === "error") ? "error" : "warning";
  return [
    h("div", { class: `box ${kind}` }, h("b", { class: "verdict" }, mark(kind), verdict(c))),
    h("section", { class: "card stack" }, h("h2", null, t("compare.matrix")), table({
      caption: t("compare.matrix"), class: "matrix", head: [t("inspect.file"), ...c.nodes.map((n) => n.name)],
      rows: c.files.map((f) => ({ cells: [h("code", { translate: "no" }, f.path), ...f.cells.map(cell)] })),
    })),
    h("div", { class: "columns" },
      h("div", { class: "stack wide" },
        c.findings.length > 0 && findingsCard(c.findings),
        remedyCard(c.remedies)),
      h("section", { class: "card stack" }, h("h2", null, t("compare.each")), c.nodes.map(facts))),
  ];
}

const badges: Record<Cell["state"], string> = { same: "ok", new: "ok", old: "error", other: "warning", missing: "warning", unknown: "" };

function cell(c: Cell): Child {
  const from = c.certificate ? `${c.certificate}` : c.sha256 ? c.sha256.slice(0, 8) : "";
  return [h("span", { class: `badge ${badges[c.state]}` }, term("compare.cell", c.state)),
    from && h("span", { class: "hint cell-from" }, from, c.time && ` · ${day(c.time)}`)];
}

function facts(n: ComparedNode): HTMLElement {
  const follow = n.leaves - n.staleLeaves.length;
  const rows: [string, Child][] = [
    [t("compare.what"), n.dump ? t("compare.dump") : [n.distro, n.directory].filter(Boolean).join(" · ")],
    [t("inspect.tokenTitle"), n.token && h("code", { translate: "no" }, `K10${n.token.hash.slice(0, 12)}…`)],
    [t("compare.tokenFile"), n.tokenFileHash && n.token && n.tokenFileHash !== n.token.hash && h("span", null, mark("warning"), " ", t("compare.tokenOther", { hash: n.tokenFileHash.slice(0, 12) }))],
    [t("compare.started"), n.started && `${n.started.replace("T", " ").replace("Z", " UTC")}`],
    ["server:", n.server && h("code", { translate: "no" }, n.server)],
    [t("compare.leaves"), n.leaves > 0 && t("compare.leavesFollow", { n: number(follow), of: number(n.leaves) })],
  ];
  return h("div", null, h("h3", null, n.name), h("dl", { class: "facts" }, rows.filter(([, v]) => v).map(([k, v]) => [h("dt", null, k), h("dd", null, v)])));
}
