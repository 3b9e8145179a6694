// Two rooms. Here the keys and requests are made; where the root key lives they
// are signed; then the bundle is finished here. Everything that travels is public
// and goes by file or as QR codes; the state file is secret and stays.

import type { NamedFile, Requested, Signed } from "../../wasm/engine";
import { failureOf, type EngineClient } from "./engine";
import { part } from "./handover";
import { t } from "./i18n";
import { call, passphrases } from "./make-call";
import { qrDetails, qrRead } from "./qr-view";
import { button, copyButton, day, dropZone, findings, fingerprint, h, mark, replace, type Child } from "./ui";

export const text = (file: NamedFile): string => new TextDecoder().decode(file.data);

/** What a file is, by its content: people name files as they like. */
type Kind = "plan" | "request" | "certificate" | "key" | "state";

function kindsOf(file: NamedFile): Kind[] {
  const start = text({ ...file, data: file.data.subarray(0, 1 << 16) });
  if (/^age-encryption\.org|-----BEGIN AGE ENCRYPTED FILE-----/.test(start)) return ["state"];
  if (start.trimStart().startsWith("{")) return [/"kind":\s*"RequestState"/.test(start) ? "state" : "plan"];
  const kinds: Kind[] = [];
  if (start.includes("CERTIFICATE REQUEST-----")) kinds.push("request");
  if (start.includes("BEGIN CERTIFICATE-----")) kinds.push("certificate");
  if (/BEGIN [A-Z ]*PRIVATE KEY-----/.test(start)) kinds.push("key");
  return kinds;
}

interface Place { kind: Kind; label: string; hint: string; several?: boolean; files: NamedFile[] }

/** places is one drop zone and reader for several files, each put where it belongs. */
function places(list: Place[], o: { drop: string; hint: string; qr: string; changed: () => void }): HTMLElement {
  const rows = h("ul", { class: "places" });
  const strange = h("p", { class: "field-error", role: "alert" });
  const draw = (): void => replace(rows, list.map((p) => h("li", { class: p.files.length > 0 ? "there" : "" },
    p.files.length > 0 ? mark("ok") : h("span", { class: "empty-mark", "aria-hidden": true }),
    h("div", null, h("b", null, p.label), p.files.length === 0 && h("p", { class: "hint" }, p.hint),
      p.files.map((f) => h("p", { class: "chosen" }, h("code", { translate: "no" }, f.name),
        h("button", {
          type: "button", class: "button quiet tight", "aria-label": t("make.removeFile", { name: f.name }),
          onclick: () => { p.files.splice(p.files.indexOf(f), 1); draw(); o.changed(); },
        }, t("make.remove"))))))));
  const take = (files: NamedFile[]): void => {
    const unknown: string[] = [];
    for (const file of files) {
      const fitting = list.filter((p) => kindsOf(file).includes(p.kind));
      if (fitting.length === 0) unknown.push(file.name);
      for (const p of fitting) p.files = p.several ? [...p.files, file] : [file];
    }
    strange.textContent = unknown.length > 0 ? t("rooms.unknown", { names: unknown.join(", ") }) : "";
    draw();
    o.changed();
  };
  draw();
  return h("div", { class: "stack" }, dropZone({ label: o.drop, hint: o.hint, multiple: true, onfiles: take }), strange, rows,
    qrRead(o.qr, (file) => take([file])));
}

/** distinct gives files of one call names of their own. */
function distinct(files: NamedFile[]): NamedFile[] {
  return files.map((f, i) => files.findIndex((x) => x.name === f.name) === i ? f : { ...f, name: `${i}-${f.name}` });
}

function failed(host: HTMLElement, error: unknown): void {
  const failure = failureOf(error);
  replace(host, h("div", { class: "box error", role: "alert" }, failure.message),
    failure.findings.length > 0 && findings(failure.findings));
}

/** What both rooms read to each other. */
function compare(rows: [string, string][]): HTMLElement {
  return h("div", { class: "box" }, h("b", null, t("rooms.compare")), h("p", { class: "hint" }, t("rooms.compareHint")),
    h("dl", { class: "facts" }, rows.map(([label, hex]) => [h("dt", null, label), h("dd", null, fingerprint(hex), " ", copyButton(hex, t("ui.copy"), "quiet tight"))])));
}

export interface RequestedView {
  requested: Requested;
  files: NamedFile[];
  saved: Set<string>;
}

/** isState tells the one file of a request that is secret. */
export const isState = (name: string): boolean => name.startsWith("state.json");

/** requestedView is the end of the first room. */
export function requestedView(r: RequestedView, engine: EngineClient, o: { onsaved: () => void; onfinish: (state: NamedFile) => void; onforget: () => void }): HTMLElement {
  const state = r.files.find((f) => isState(f.name))!;
  const travel = r.files.filter((f) => f !== state);
  const row = (title: string, hint: string, file: NamedFile, button = ""): HTMLElement => part({ title, hint, file, button, saved: r.saved, onsaved: o.onsaved });
  return h("div", { class: "result" },
    h("header", { class: "stack result-head" }, h("h2", { tabindex: -1, class: "result-title" }, mark("ok"), t("rooms.requested")),
      h("p", { class: "muted" }, t("rooms.requestedText"))),
    h("div", { class: "columns" },
      h("div", { class: "stack wide" },
        h("section", { class: "card stack", "aria-labelledby": "rooms-travel" }, h("h2", { id: "rooms-travel" }, t("rooms.travel")),
          h("p", { class: "hint" }, t("rooms.travelHint")),
          travel.map((f) => row(f.name.endsWith(".csr") ? t("rooms.request") : t("rooms.plan"),
            f.name.endsWith(".csr") ? t("rooms.requestHint") : t("rooms.planHint"), f)),
          qrDetails(engine, t("rooms.asQR"), () => travel.map((f) => ({ name: f.name, text: text(f) })))),
        h("section", { class: "card stack secret", "aria-labelledby": "rooms-stays" }, h("h2", { id: "rooms-stays" }, t("rooms.stays")),
          row(t("rooms.state"), t(state.name.endsWith(".age") ? "rooms.stateSealed" : "rooms.stateOpen"), state, "primary"))),
      h("div", { class: "stack wide" },
        compare([[t("make.digest"), r.requested.planDigest],
          ...r.requested.requests.map((q): [string, string] => [t("rooms.keyOf", { name: q.name }), q.publicKeySHA256])]),
        h("section", { class: "card stack", "aria-labelledby": "rooms-next" }, h("h2", { id: "rooms-next" }, t("rooms.next")),
          h("ol", { class: "steps" }, ["next1", "next2", "next3"].map((k) => h("li", null, t(`rooms.${k}`)))),
          h("div", { class: "row" }, button(t("rooms.finishHere"), () => o.onfinish(state)))))),
    h("div", { class: "bar" }, h("span", { class: "muted" }, t("rooms.inMemory")), button(t("result.forget"), o.onforget, "danger")));
}

/** signView is the second room: a request and the plan come in, a certificate goes out. */
export function signView(engine: EngineClient, busy: (busy: boolean) => void): HTMLElement {
  const list: Place[] = [
    { kind: "plan", label: t("rooms.plan"), hint: t("rooms.planWanted"), files: [] },
    { kind: "request", label: t("rooms.request"), hint: t("rooms.requestWanted"), files: [] },
    { kind: "certificate", label: t("rooms.issuer"), hint: t("rooms.issuerWanted"), files: [] },
    { kind: "key", label: t("rooms.key"), hint: t("rooms.keyWanted"), files: [] },
  ];
  const out = h("div", { class: "stack", "aria-live": "polite" });
  const changed = (): void => {
    const missing = list.filter((p) => p.files.length === 0);
    sign.setAttribute("aria-disabled", String(missing.length > 0));
    why.textContent = missing.length > 0 ? t("rooms.missing", { what: missing.map((p) => p.label).join(t("ui.comma")) }) : "";
    replace(out);
  };
  const make = async (): Promise<void> => {
    if (list.some((p) => p.files.length === 0)) return;
    const files = distinct(list.map((p) => p.files[0]!));
    const [plan, request, issuer, key] = files.map((f) => f.name) as [string, string, string, string];
    busy(true);
    try {
      const { value, files: made } = await call(engine, "sign", { plan, request, issuer, key }, files);
      replace(out, signed(value, made, engine));
    } catch (error) {
      failed(out, error);
    } finally {
      busy(false);
      passphrases.delete(key);
    }
  };
  const sign = button(t("rooms.sign"), () => void make(), "primary big");
  const why = h("span", { class: "hint" });
  const el = h("div", { class: "columns" },
    h("section", { class: "card stack", "aria-labelledby": "rooms-sign" }, h("h2", { id: "rooms-sign" }, t("rooms.signTitle")),
      h("p", { class: "muted" }, t("rooms.signText")),
      places(list, { drop: t("ui.chooseFiles"), hint: t("rooms.dropAll"), qr: t("rooms.readQR"), changed }),
      h("div", { class: "row" }, sign, why)),
    out);
  changed();
  return el;
}

function signed(value: Signed, files: NamedFile[], engine: EngineClient): Child {
  return [
    h("section", { class: "card stack", "aria-labelledby": "rooms-signed" },
      h("h2", { id: "rooms-signed", class: "result-title" }, mark("ok"), t("rooms.signed")),
      h("dl", { class: "facts" },
        [[t("rooms.subject"), value.subject], [t("draw.signedBy"), value.issuer], [t("draw.until"), day(value.notAfter)]]
          .map(([label, v]) => [h("dt", null, label), h("dd", null, v)]),
        [h("dt", null, "SHA-256"), h("dd", null, fingerprint(value.sha256))]),
      files.map((file) => part({ file, title: t("rooms.certificate"), hint: t("rooms.certificateHint"), button: "primary", saved: new Set(), onsaved: () => {} })),
      qrDetails(engine, t("rooms.asQR"), () => files.map((f) => ({ name: f.name, text: text(f) })))),
    compare([[t("make.digest"), value.planDigest], [t("rooms.keyOf", { name: value.role }), value.publicKeySHA256], [t("result.root"), value.rootSHA256]]),
  ];
}

export interface Finish { state: NamedFile; signed: NamedFile[] }

/** finishView takes the state and what came back, and gives them to whoever finishes the bundle. */
export function finishView(state: NamedFile | undefined, seal: Child, onfinish: (f: Finish, out: HTMLElement) => void): HTMLElement {
  const list: Place[] = [
    { kind: "state", label: t("rooms.state"), hint: t("rooms.stateWanted"), files: state ? [state] : [] },
    { kind: "certificate", label: t("rooms.certificate"), hint: t("rooms.certificateWanted"), several: true, files: [] },
  ];
  const out = h("div", { class: "stack", "aria-live": "polite" });
  const why = h("span", { class: "hint" });
  const finish = button(t("rooms.finish"), () => {
    if (list.every((p) => p.files.length > 0)) onfinish({ state: list[0]!.files[0]!, signed: distinct(list[1]!.files) }, out);
  }, "primary big");
  const changed = (): void => {
    const missing = list.filter((p) => p.files.length === 0);
    finish.setAttribute("aria-disabled", String(missing.length > 0));
    why.textContent = missing.length > 0 ? t("rooms.missing", { what: missing.map((p) => p.label).join(t("ui.comma")) }) : "";
    replace(out);
  };
  const el = h("div", { class: "columns" },
    h("section", { class: "card stack", "aria-labelledby": "rooms-finish" }, h("h2", { id: "rooms-finish" }, t("rooms.finishTitle")),
      h("p", { class: "muted" }, t("rooms.finishText")),
      places(list, { drop: t("ui.chooseFiles"), hint: t("rooms.dropBack"), qr: t("rooms.readQR"), changed }),
      seal, h("div", { class: "row" }, finish, why)),
    out);
  changed();
  return el;
}

/** showFailure shows what a call refused, in the place of its result. */
export const showFailure = failed;
