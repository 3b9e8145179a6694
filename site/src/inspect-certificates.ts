// What is in a drop: the tree of who signs whom, the lives, a table with all
// details, and the private keys, matched and never shown.

import type { Branch, Certificate, Inspection, PrivateKey } from "../../wasm/engine";
import { timeline, topology, type Life } from "./draw";
import { t } from "./i18n";
import { number, placeOf, plural, roleName } from "./inspect-words";
import { button, copyButton, day, fingerprint, h, mark, replace, table, uid, type Child } from "./ui";

type Kind = Branch["kind"];

/** kindOf tells the tier of a certificate, for its shape. */
function kindOf(c: Certificate, i: number, all: Certificate[]): Kind {
  if (!c.ca) return "leaf";
  if (all.some((o) => o.parent === i && o.ca)) return c.parent < 0 && c.selfSigned ? "root" : "intermediate";
  if (c.role) return "ca";
  return c.selfSigned ? "root" : c.parent < 0 ? "intermediate" : "ca";
}

/** Foreign names may be of any length; a drawing has room for these characters. */
const room = 36;
const short = (name: string): string => (name.length <= room ? name : `${name.slice(0, room - 13)}…${name.slice(-12)}`);

/** treeOf turns an inspection into the branches of a drawing. */
export function treeOf(inspection: Inspection): Branch[] {
  const all = inspection.certificates;
  const keyed = new Set(inspection.keys.map((k) => k.certificate));
  const branches = all.map((c, i): Branch => ({
    role: c.fingerprint, name: short(c.name), kind: kindOf(c, i, all), existing: false, elsewhere: false, until: c.notAfter,
    note: [c.role && c.name.includes(c.role) ? "" : roleName(c.role), c.key, keyed.has(i) ? t("inspect.withKey") : ""].filter(Boolean).join(" · "), children: [],
  }));
  all.forEach((c, i) => { if (c.parent >= 0) branches[c.parent]!.children.push(branches[i]!); });
  const keys = inspection.keys.filter((k) => k.certificate < 0).map((k): Branch => ({
    role: k.keyFingerprint, name: short(placeOf(k)), kind: "service", existing: false, elsewhere: false,
    note: [roleName(k.role), k.algorithm || t("inspect.keyClosed")].filter(Boolean).join(" · "), children: [],
  }));
  return [...branches.filter((_, i) => all[i]!.parent < 0), ...keys];
}

/** Bars of a timeline at most: those that end first. */
const bars = 24;

/** livesOf are the lives of a drawing, what ends first on top. */
export function livesOf(inspection: Inspection): Life[] {
  return inspection.certificates
    .map((c, i): Life => ({ role: c.fingerprint, name: short(c.name), from: c.notBefore, until: c.notAfter, kind: kindOf(c, i, inspection.certificates) }))
    .sort((a, b) => Date.parse(a.until) - Date.parse(b.until));
}

export function livesFigure(lives: Life[], o: { now: string; at?: { time: string; word: string } }): Child {
  if (lives.length === 0) return null;
  return [timeline(lives.slice(0, bars), o), lives.length > bars && h("p", { class: "hint" }, t("inspect.livesMore", { n: number(lives.length - bars) }))];
}

/** Certificates that a tree can show to a person, and rows that a table can. */
const drawn = 300, listed = 1000;

/** treeFigure draws who signs whom; a line opens the certificate in the table. */
export function treeFigure(inspection: Inspection, onpick: (fingerprint: string) => void): HTMLElement {
  if (inspection.certificates.length > drawn) return h("p", { class: "hint" }, t("inspect.treeMore", { n: number(inspection.certificates.length) }));
  return topology(treeOf(inspection), {
    title: t("inspect.tree"), leaves: inspection.certificates.length <= 30,
    onpick: (b) => { if (b.kind !== "service") onpick(b.role); },
  });
}

/** statusBadge says when a certificate ends, in words before colour. */
export function statusBadge(c: { status: Certificate["status"]; notBefore: string; daysLeft: number }): HTMLElement {
  if (c.status === "expired") return h("span", { class: "badge error" }, t("inspect.expired"));
  if (c.status === "not-yet-valid") return h("span", { class: "badge error" }, t("inspect.begins", { date: day(c.notBefore) }));
  return h("span", { class: c.daysLeft < soon ? "badge warning" : "badge ok" }, t("inspect.daysLeft", { n: number(c.daysLeft) }));
}

/** Days before an end from which it is near: k3s renews leaves 120 days before theirs. */
const soon = 120;

/** certificateTable lists every certificate; a row opens to all of its fields. */
export function certificateTable(inspection: Inspection): { el: HTMLElement; open: (fingerprint: string) => void } {
  const keys = new Map<number, PrivateKey[]>();
  for (const k of inspection.keys) keys.set(k.certificate, [...keys.get(k.certificate) ?? [], k]);
  const openers = new Map<string, (on: boolean) => void>();
  const rows = inspection.certificates.slice(0, listed).flatMap((c, i) => {
    const id = uid("cert");
    const detail = h("tr", { id, hidden: true, class: "detail" }, h("td", { colspan: 5 }));
    const open = (on: boolean): void => {
      if (on && detail.hidden) replace(detail.firstElementChild!, details(c, inspection, keys.get(i) ?? []));
      detail.hidden = !on;
      opener.setAttribute("aria-expanded", String(on));
    };
    const opener = button(c.name, () => open(detail.hidden === true), "quiet tight opener", { "aria-expanded": false, "aria-controls": id });
    openers.set(c.fingerprint, (on) => { open(on); opener.focus(); opener.scrollIntoView({ block: "nearest" }); });
    return [h("tr", { "data-role": c.fingerprint },
      h("th", { scope: "row" }, opener),
      h("td", null, roleName(c.role) || h("code", { translate: "no" }, placeOf(c.places[0]!)), c.places.length > 1 && h("span", { class: "muted" }, ` +${c.places.length - 1}`)),
      h("td", null, h("code", { translate: "no" }, c.key), keys.has(i) && h("span", { class: "muted" }, ` ${t("inspect.withKey")}`)),
      h("td", { class: "date" }, day(c.notAfter)), h("td", null, statusBadge(c))), detail];
  });
  const caption = plural("inspect.certificates", inspection.certificates.length);
  const rest = inspection.certificates.length - listed;
  return {
    el: h("div", null, h("div", { class: "scroll certificates", tabindex: 0, role: "region", "aria-label": caption }, h("table", null,
      h("caption", { class: "visually-hidden" }, caption),
      h("thead", null, h("tr", null, ["inspect.name", "inspect.place", "inspect.key", "inspect.until", "inspect.state"].map((k) => h("th", { scope: "col" }, t(k))))),
      h("tbody", null, rows))), rest > 0 && h("p", { class: "hint" }, t("inspect.andMore", { n: number(rest) }))),
    open: (f) => openers.get(f)?.(true),
  };
}

function details(c: Certificate, inspection: Inspection, keys: PrivateKey[]): HTMLElement {
  const issuers = [c.parent, ...c.otherParents].filter((i) => i >= 0).map((i) => inspection.certificates[i]!.name);
  const facts: [string, Child][] = [
    [t("inspect.subject"), c.subject], [t("inspect.issuer"), c.issuer],
    [t("inspect.signedBy"), c.selfSigned ? t("draw.itself") : issuers.join(t("ui.comma")) || t("inspect.issuerMissing")],
    [t("inspect.sha256"), [fingerprint(c.fingerprint), copyButton(c.fingerprint, t("ui.copy"), "quiet tight")]],
    [t("inspect.keySha256"), [fingerprint(c.keyFingerprint), copyButton(c.keyFingerprint, t("ui.copy"), "quiet tight")]],
    [t("inspect.serial"), h("code", { translate: "no" }, c.serial)],
    [t("inspect.lives"), `${c.notBefore} … ${c.notAfter}`],
    [t("inspect.signature"), c.signatureAlgorithm],
    [t("inspect.authority"), c.ca ? c.pathLength === null ? t("inspect.pathAny") : t("inspect.path", { n: c.pathLength }) : t("inspect.notCA")],
    ["keyUsage", c.keyUsage.join(t("ui.comma"))], ["extKeyUsage", c.extKeyUsage.join(t("ui.comma"))],
    ["subjectAltName", c.names.join(t("ui.comma"))], ["nameConstraints", c.nameConstraints.join(t("ui.comma"))],
    ["SKI", c.subjectKeyID && h("code", { translate: "no" }, c.subjectKeyID)], ["AKI", c.authorityKeyID && h("code", { translate: "no" }, c.authorityKeyID)],
    [t("inspect.places"), h("ul", null, c.places.map((p) => h("li", null, h("code", { translate: "no" }, placeOf(p)))))],
    [t("inspect.privateKey"), keys.length > 0 ? t("inspect.keyAt", { places: keys.map(placeOf).join(t("ui.comma")) }) : t("inspect.keyAbsent")],
  ];
  return h("dl", { class: "facts" }, facts.filter(([, value]) => value).map(([name, value]) => [h("dt", null, name), h("dd", null, value)]));
}

/** keyTable lists private keys by place and owner. A key itself is never shown. */
export function keyTable(inspection: Inspection): Child {
  if (inspection.keys.length === 0) return h("p", { class: "none" }, t("inspect.noKeys"));
  return [table({
    caption: plural("inspect.keys", inspection.keys.length),
    head: [t("inspect.place"), t("inspect.key"), t("inspect.belongsTo")],
    rows: inspection.keys.slice(0, listed).map((k) => ({ cells: [h("code", { translate: "no" }, placeOf(k)),
      k.algorithm ? h("code", { translate: "no" }, k.algorithm) : t("inspect.keyClosed"),
      k.certificate >= 0 ? [mark("ok"), " ", inspection.certificates[k.certificate]!.name] : roleName(k.role) || t("inspect.keyAlone")] })),
  }), h("p", { class: "hint" }, t("inspect.keysHint"))];
}
