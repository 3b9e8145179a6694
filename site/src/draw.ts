// Two pictures: who signs whom, and until when. Both are SVG at the size of the
// text around it, so that nothing has to be scaled on a phone, and both have the
// same facts as a real table behind a switch.

import type { Branch } from "../../wasm/engine";
import { t } from "./i18n";
import { date, day, h, replace, s, table, uid, type Child } from "./ui";

const rowHeight = 26;
const indent = 22;
const left = 12; // of the first column of marks

/** Progress of a key, where a topology is drawn while keys are made. */
export type Growth = "waiting" | "searching" | "done";

export interface TopologyOptions {
  title?: string;
  /** Draws the leaf certificates too; else a dot for each stands beside its CA. */
  leaves?: boolean;
  growth?: (role: string) => Growth | undefined;
  /** Makes each line a button; the line's table row gets the same. */
  onpick?: (branch: Branch) => void;
}

interface Line { branch: Branch; depth: number; parent: number; leaves: number }

/** lines flattens trees in the order in which they are drawn. */
function lines(branches: Branch[], leaves: boolean, depth = 0, parent = -1, out: Line[] = []): Line[] {
  for (const branch of branches) {
    if (branch.kind === "leaf" && !leaves) continue;
    const at = out.push({ branch, depth, parent, leaves: branch.children.filter((c) => c.kind === "leaf").length }) - 1;
    lines(branch.children, leaves, depth + 1, at, out);
  }
  return out;
}

/** topology draws trees of who signs whom. */
export function topology(branches: Branch[], o: TopologyOptions = {}): HTMLElement {
  const title = o.title ?? t("draw.topology");
  const all = lines(branches, true);
  const anyLeaves = all.some((l) => l.branch.kind === "leaf");
  const picture = (leaves: boolean): Child => treePicture(lines(branches, leaves), leaves, title, o);
  return figure(title, o.leaves ?? false, anyLeaves ? t("draw.leaves") : "", picture, () => table({
    caption: title,
    head: [t("draw.certificate"), t("draw.signedBy"), t("draw.until"), t("draw.note")],
    rows: all.map((l) => ({ cells: [
      l.branch.name, l.parent < 0 ? (l.branch.kind === "service" ? "" : t("draw.itself")) : all[l.parent]!.branch.name,
      l.branch.until ? date(l.branch.until) : "", noteOf(l.branch),
    ] })),
  }));
}

/** noteOf is what stands beside a name: that its key is elsewhere, then its own note. */
function noteOf(b: Branch): string {
  return [b.elsewhere && t("draw.elsewhere"), b.note].filter(Boolean).join(t("ui.comma"));
}

function treePicture(rows: Line[], leaves: boolean, title: string, o: TopologyOptions): SVGElement {
  const id = uid("tree");
  const x = (l: Line): number => left + l.depth * indent;
  const y = (i: number): number => i * rowHeight + rowHeight / 2;
  const links = rows.map((l, i) => l.parent < 0 ? null :
    s("path", { class: "link", d: `M${x(rows[l.parent]!)} ${y(l.parent) + 7}V${y(i) - 5}q0 5 5 5H${x(l) - 8}` }));
  const marks = rows.map((l, i) => {
    const growth = o.growth?.(l.branch.role);
    const cls = ["node", l.branch.kind, l.branch.existing && "existing", l.branch.elsewhere && "elsewhere", growth].filter(Boolean).join(" ");
    const node = s("g", { class: cls, "data-role": l.branch.role, role: o.onpick && "button", tabindex: o.onpick ? 0 : undefined },
      s("rect", { class: "hit", x: 0, y: i * rowHeight, width: "100%", height: rowHeight, rx: 5 }),
      shape(l.branch.kind, x(l), y(i)),
      s("text", { x: x(l) + 14, y: y(i), dy: ".35em" },
        s("tspan", { class: "name" }, l.branch.name),
        !leaves && l.leaves > 0 && s("tspan", { class: "leafdots", dx: 8, "aria-label": t("draw.leafCount", { n: l.leaves }) }, "·".repeat(Math.min(l.leaves, 12))),
        noteOf(l.branch) && s("tspan", { class: "note", dx: 10 }, noteOf(l.branch))),
      l.branch.until && s("g", { class: "until" },
        s("text", { x: "100%", dx: -6, y: y(i), dy: ".35em", "text-anchor": "end" }, day(l.branch.until))));
    if (o.onpick) {
      const pick = (): void => o.onpick!(l.branch);
      node.addEventListener("click", pick);
      node.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); pick(); } });
    }
    return node;
  });
  return s("svg", {
    class: "tree", width: "100%", height: rows.length * rowHeight, role: o.onpick ? "group" : "img",
    "aria-label": title, "aria-describedby": id,
  },
    s("desc", { id }, rows.map((l) => l.parent < 0 ? l.branch.name
      : t("draw.under", { name: l.branch.name, issuer: rows[l.parent]!.branch.name })).join("; ")),
    links, marks);
}

/** A shape for each tier, told apart without colour. */
function shape(kind: Branch["kind"], x: number, y: number): SVGElement {
  switch (kind) {
    case "root": return s("path", { class: "shape", d: `M${x} ${y - 7}l7 7l-7 7l-7 -7z` });
    case "intermediate": return s("rect", { class: "shape", x: x - 5, y: y - 5, width: 10, height: 10, rx: 2 });
    case "ca": return s("circle", { class: "shape", cx: x, cy: y, r: 5.5 });
    case "service": return s("path", { class: "shape", d: `M${x - 6} ${y}a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0 -6.8 0zM${x + 1} ${y}h6v3M${x + 4} ${y}v2.4` });
    default: return s("circle", { class: "shape", cx: x, cy: y, r: 2.5 });
  }
}

export interface Life {
  role: string;
  name: string;
  from: string;
  until: string;
  kind?: Branch["kind"];
}

export interface TimelineOptions {
  title?: string;
  now: string;
  /** Another moment to mark, with its word: a date that was asked for. */
  at?: { time: string; word: string };
}

/** timeline draws one bar for each life on one scale. */
export function timeline(lives: Life[], o: TimelineOptions): HTMLElement {
  const title = o.title ?? t("draw.timeline");
  return figure(title, false, "", () => timePicture(lives, title, o), () => table({
    caption: title, head: [t("draw.certificate"), t("draw.from"), t("draw.until")],
    rows: lives.map((l) => ({ cells: [l.name, date(l.from), date(l.until)] })),
  }));
}

const barHeight = 30;

function timePicture(lives: Life[], title: string, o: TimelineOptions): SVGElement {
  const id = uid("time");
  const times = [...lives.flatMap((l) => [l.from, l.until]), o.now, ...(o.at ? [o.at.time] : [])].map((x) => Date.parse(x));
  const from = Math.min(...times), to = Math.max(...times, from + 1);
  // Half a per cent at either side, so that a mark at the edge is whole.
  const at = (time: number | string): number => 0.5 + 99 * ((typeof time === "string" ? Date.parse(time) : time) - from) / (to - from);
  const pc = (n: number): string => `${n.toFixed(3)}%`;
  const bottom = lives.length * barHeight + 4;
  const bars = lives.map((l, i) => {
    const start = at(l.from), end = at(l.until), y = i * barHeight;
    const ended = Date.parse(l.until) <= Date.parse(o.at?.time ?? o.now);
    return s("g", { class: `life ${l.kind ?? ""}${ended ? " ended" : ""}`, "data-role": l.role },
      s("text", { class: "name", x: pc(Math.min(start, 55)), dx: 5, y: y + 12 }, l.name, s("tspan", { class: "note", dx: 8 }, day(l.until))),
      s("rect", { class: "rest", x: "0.5%", y: y + 18, width: "99%", height: 5, rx: 2.5 }),
      s("rect", { class: "bar", x: pc(start), y: y + 18, width: pc(Math.max(end - start, 0.6)), height: 5, rx: 2.5 }));
  });
  const moment = (time: string, word: string, cls: string): SVGElement => {
    const p = at(time);
    return s("g", { class: cls }, s("line", { x1: pc(p), x2: pc(p), y1: 0, y2: bottom }),
      s("text", { x: pc(p), y: bottom + 13, "text-anchor": p < 12 ? "start" : p > 88 ? "end" : "middle" }, word));
  };
  return s("svg", { class: "time", width: "100%", height: bottom + 36, role: "img", "aria-label": title, "aria-describedby": id },
    s("desc", { id }, lives.map((l) => t("draw.life", { name: l.name, until: day(l.until) })).join("; ")),
    bars, years(from, to).map((year) => {
      const p = at(Date.UTC(year, 0, 1));
      return s("g", { class: "year" }, s("line", { x1: pc(p), x2: pc(p), y1: bottom - 4, y2: bottom }),
        s("text", { x: pc(p), y: bottom + 30, "text-anchor": p < 4 ? "start" : p > 96 ? "end" : "middle" }, String(year)));
    }),
    moment(o.now, t("draw.now"), "now"), o.at && moment(o.at.time, o.at.word, "at"));
}

/** years are the round years of a span, five at most. */
function years(from: number, to: number): number[] {
  const first = new Date(from).getUTCFullYear() + 1, last = new Date(to).getUTCFullYear();
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000].find((n) => (last - first) / n <= 5) ?? 5000;
  const out: number[] = [];
  for (let y = Math.ceil(first / step) * step; y <= last; y += step) out.push(y);
  return out;
}

/** figure frames a picture, with switches for its detail and for its table. */
function figure(title: string, detailed: boolean, detail: string, picture: (detailed: boolean) => Child, asTable: () => Child): HTMLElement {
  const body = h("div", { class: "figure-body" });
  let withDetail = detailed, tabled = false;
  const draw = (): void => {
    replace(body, tabled ? asTable() : picture(withDetail));
    detailButton?.setAttribute("aria-pressed", String(withDetail));
    if (detailButton) detailButton.hidden = tabled;
    tableButton.setAttribute("aria-pressed", String(tabled));
  };
  const toggle = (label: string, onclick: () => void): HTMLButtonElement =>
    h("button", { type: "button", class: "toggle", "aria-pressed": false, onclick }, label);
  const detailButton = detail ? toggle(detail, () => { withDetail = !withDetail; draw(); }) : undefined;
  const tableButton = toggle(t("draw.asTable"), () => { tabled = !tabled; draw(); });
  draw();
  return h("figure", null, h("figcaption", null, h("span", { class: "figure-title" }, title),
    h("span", { class: "toggles" }, detailButton, tableButton)), body);
}

/** linkRoles lights up everything of one role in a host while a part is pointed at. */
export function linkRoles(host: HTMLElement): void {
  const light = (role: string | null): void => {
    for (const el of host.querySelectorAll("[data-role]")) {
      el.classList.toggle("lit", role !== null && role !== "" && el.getAttribute("data-role") === role);
    }
  };
  host.addEventListener("pointerover", (e) => {
    light((e.target as Element).closest("[data-role]")?.getAttribute("data-role") ?? null);
  });
  host.addEventListener("pointerleave", () => light(null));
}
