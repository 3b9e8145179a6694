// The right side of Make: what the plan would make, before any key exists.

import type { Finding, Planned } from "../../wasm/engine";
import { linkRoles, timeline, topology, type Growth, type Life } from "./draw";
import { t } from "./i18n";
import { tierOf } from "./make-form";
import { copyButton, counted, findings, fingerprint, h, replace, table, type Child } from "./ui";

export interface Preview {
  el: HTMLElement;
  show: (planned: Planned) => void;
  /** Draws the last plan with the keys that are there so far. */
  grow: (growth: (role: string) => Growth | undefined) => void;
  /** Says that what is shown is of an older plan. */
  stale: (stale: boolean) => void;
}

export function preview(action: (finding: Finding) => Child): Preview {
  const tree = h("div"), rest = h("div", { class: "stack wide" });
  const body = h("div", { class: "stack wide", "aria-busy": true }, skeleton());
  const old = h("p", { class: "box warning", hidden: true }, t("make.stale"));
  const el = h("section", { class: "card stack preview", "aria-labelledby": "make-preview" },
    h("h2", { id: "make-preview" }, t("make.preview")), old, body);
  linkRoles(el);
  let last: Planned | undefined;
  return {
    el,
    show(planned) {
      last = planned;
      replace(tree, topology(planned.topology));
      replace(rest, details(planned, action));
      replace(body, tree, rest);
      body.removeAttribute("aria-busy");
    },
    grow(growth) { if (last) replace(tree, topology(last.topology, { growth })); },
    stale(stale) { old.hidden = !stale || !last; },
  };
}

function details(p: Planned, action: (finding: Finding) => Child): Child {
  return [
    timeline(p.lives.map((l): Life => ({ ...l, kind: lifeKind(l.role) })), { now: new Date().toISOString() }),
    fileList(p),
    h("div", null, h("h3", null, t("make.findings"), " ", p.findings.length > 0 && h("span", { class: "hint" }, counted(p.findings))),
      findings(p.findings, { action, none: t("make.noFindings") })),
    h("div", null, h("h3", null, t("make.digest")), h("p", { class: "hint" }, t("make.digestHint")),
      h("div", { class: "row" }, fingerprint(p.digest), copyButton(p.digest))),
  ];
}

/** lifeKind is the colour of a life. */
export function lifeKind(role: string): "root" | "intermediate" | "ca" {
  const tier = tierOf(role);
  return tier === "service" ? "ca" : tier;
}

function fileList(p: Planned): HTMLElement {
  const part = (name: "server" | "offline"): Child => {
    const files = p.files.filter((f) => f.part === name);
    return files.length > 0 && h("details", { class: "more", open: name === "server" },
      h("summary", null, t(`make.part.${name}`, { n: files.length })),
      table({
        caption: t(`make.part.${name}`, { n: files.length }), class: "files",
        head: [t("make.path"), t("make.mode"), t("make.content")],
        rows: files.map((f) => ({ cells: [h("code", { translate: "no" }, f.path), h("code", null, f.mode), f.content], props: { "data-role": roleOf(f.path) } })),
      }));
  };
  return h("div", { class: "stack" }, h("h3", null, t("make.fileList")), part("server"), part("offline"),
    p.requests.length > 0 && h("p", { class: "hint" }, t("make.onlyRequests")));
}

/** roleOf is the role whose file stands at a path: tls/etcd/peer-ca.key is of etcd-peer-ca. */
export function roleOf(path: string): string {
  const stem = path.replace(/^.*?tls\//, "").replace(/\.\w+$/, "").replace(/\//g, "-");
  return stem.replace(/^(.*root|intermediate)-ca$/, "$1");
}

function skeleton(): Child {
  return h("div", { class: "skeleton", "aria-hidden": true }, [9, 6, 7, 5, 8, 6].map((n) => h("span", { class: `w${n}` })));
}
