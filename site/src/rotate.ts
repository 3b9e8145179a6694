// Rotating from what was dropped: which CAs change and how, with which keys. The
// answer of `rotate-ca` is known before anything leaves this tab.

import type { Failure, Step } from "../../wasm/engine";
import { failureOf } from "./engine";
import { lang, t } from "./i18n";
import { query, type Drop } from "./inspect-call";
import { zone } from "./inspect-drop";
import { trouble } from "./inspect-findings";
import { authorities, guard, session, type Context, type RotationForm } from "./inspect-session";
import { roleName } from "./inspect-words";
import { algorithms, tiers, type Tier } from "./make-plan";
import { rotatedView } from "./rotate-result";
import { announce, ask, button, h, replace, uid, type Child, type Props } from "./ui";

const ways = ["cas", "roots", "same", "service"] as const;
const steps = ["", "a", "b", "c"] as const;
const seals = ["none", "passphrase", "recipients"] as const;

/** rotateView is the form, or what was made of it. */
export function rotateView(c: Context): Child {
  if (session.rotated) return rotatedView(c, session.rotated);
  const f = session.rotation;
  const out = h("div");
  const more = h("div", { class: "stack wide" });
  const draw = (): void => replace(more, options(f, draw));
  draw();
  return h("div", { class: "stack wide" },
    h("div", { class: "columns" },
      h("div", { class: "stack wide" },
        h("section", { class: "card stack" }, h("h2", null, t("rotate.title")), h("p", { class: "hint" }, t("rotate.text")),
          radios(f.way, ways, "rotate.way", t("rotate.what"), (w) => { f.way = w; draw(); })),
        more),
      h("div", { class: "stack wide" }, keysCard(c, f), sealCard(f))),
    out,
    h("div", { class: "bar" }, button(t("rotate.make"), () => void make(c, f, out), "primary big"), h("span", { class: "muted status" }, t("rotate.makeHint"))));
}

/** radios are tiles, each with its consequence in one line. */
function radios<T extends string>(value: T, all: readonly T[], words: string, legend: string, set: (value: T) => void): HTMLElement {
  const name = uid("radio");
  return h("fieldset", null, h("legend", { class: "label" }, legend), h("div", { class: "tiles pairs" }, all.map((v) => h("label", { class: "tile" },
    h("input", { type: "radio", name, value: v, checked: v === value, onchange: () => set(v) }),
    h("b", null, t(`${words}.${v || "both"}`)), h("span", { class: "hint" }, t(`${words}.${v || "both"}Text`))))));
}

function check(label: string, value: boolean, set: (on: boolean) => void, hint = "", props: Props = {}): HTMLElement {
  const input = h("input", { type: "checkbox", checked: value, ...props, onchange: () => set(input.checked) });
  return h("label", { class: "check" }, input, h("span", null, label, hint && h("span", { class: "hint" }, ` ${hint}`)));
}

function select(label: string, value: string, all: [string, string][], set: (value: string) => void): HTMLElement {
  const id = uid("select");
  const input = h("select", { id, value, onchange: () => set(input.value) }, all.map(([v, word]) => h("option", { value: v }, word)));
  return h("div", { class: "field" }, h("label", { for: id }, label), input);
}

/** options are those that the chosen way has. */
function options(f: RotationForm, redraw: () => void): Child {
  const service = f.way === "service";
  const prune = check(t("rotate.prune"), f.prune, (on) => { f.prune = on; }, t("rotate.pruneText"));
  return [
    f.way === "roots" && h("section", { class: "card" }, radios(f.step, steps, "rotate.step", t("rotate.steps"), (s) => { f.step = s; })),
    !service && h("section", { class: "card stack" },
      h("fieldset", { class: "stack" }, h("legend", { class: "label" }, t("rotate.only")),
        h("div", { class: "fields" }, authorities.map((role) => check(roleName(role), f.only.includes(role), (on) => {
          f.only = authorities.filter((r) => (r === role ? on : f.only.includes(r)));
        }))), h("p", { class: "hint" }, t("rotate.onlyHint"))),
      f.way !== "same" && select(t("rotate.topology"), f.topology, ["", "isolated", "shared"].map((v) => [v, t(`rotate.topology.${v || "kept"}`)]),
        (v) => { f.topology = v as RotationForm["topology"]; redraw(); }),
      f.way === "cas" && check(t("rotate.newIntermediate"), f.newIntermediate, (on) => { f.newIntermediate = on; }, t("rotate.newIntermediateText")),
      check(t("rotate.newServiceKey"), f.newServiceKey, (on) => { f.newServiceKey = on; redraw(); }, t("rotate.newServiceKeyText")),
      f.newServiceKey && prune),
    service && h("section", { class: "card stack" }, prune),
    h("section", { class: "card" }, h("details", { class: "more", open: [...Object.values(f.keys), ...Object.values(f.life), f.root, f.intermediate].some(Boolean) },
      h("summary", null, t("rotate.more")), h("div", { class: "stack" },
        made(f).map((tier) => h("div", { class: "fields" }, renewsKey(f, tier) && algorithm(f, tier), tier !== "service" && life(f, tier))),
        replaces(f) && h("div", { class: "fields" }, above(f, "root"), above(f, "intermediate"))))),
  ];
}

/** Whether CAs get new keys, maybe under others than now. */
const replaces = (f: RotationForm): boolean => f.way === "cas" || f.way === "roots";

/** made are the tiers of which a rotation makes certificates or keys. */
const made = (f: RotationForm): Tier[] => tiers.filter((tier) => ({
  root: f.way === "roots" || replaces(f) && f.topology !== "", intermediate: replaces(f), ca: f.way !== "service", service: f.way === "service" || f.newServiceKey,
})[tier]);

const renewsKey = (f: RotationForm, tier: Tier): boolean => f.way !== "same" || tier === "service";

const algorithm = (f: RotationForm, tier: Tier): HTMLElement => select(t("make.algorithmOf", { tier: t(`make.tier.${tier}`) }), f.keys[tier],
  [["", t("rotate.asBefore")], ...algorithms.map((a): [string, string] => [a, t(`make.alg.${a}`)])], (v) => { f.keys[tier] = v; });

function life(f: RotationForm, tier: Exclude<Tier, "service">): HTMLElement {
  const id = uid("life");
  const input = h("input", { type: "text", id, value: f.life[tier], placeholder: t("rotate.asBefore"), autocomplete: "off", spellcheck: false,
    "aria-describedby": `${id}-h`, oninput: () => { f.life[tier] = input.value.trim(); } });
  return h("div", { class: "field" }, h("label", { for: id }, t("make.lifeOf", { tier: t(`make.tier.${tier}`) })), input, h("span", { class: "hint", id: `${id}-h` }, t("rotate.lifeHint")));
}

/** above chooses a certificate among the keys that shall stand over server-ca. */
function above(f: RotationForm, which: "root" | "intermediate"): Child {
  const names = f.held.flatMap((d) => d.files.map((x) => x.name)).filter((n) => /\.(crt|pem|cer)$/.test(n));
  if (names.length === 0) return null;
  return select(t(`rotate.${which}`), f[which], [["", t("rotate.found")], ...names.map((n): [string, string] => [n, n])], (v) => { f[which] = v; });
}

function keysCard(c: Context, f: RotationForm): HTMLElement {
  return h("section", { class: "card stack", "aria-labelledby": "rotate-keys" }, h("h2", { id: "rotate-keys" }, t("rotate.keys")),
    h("p", { class: "hint" }, t("rotate.keysText")),
    f.held.length > 0 && h("ul", { class: "nodes" }, f.held.map((d) => h("li", { class: "row" }, h("code", { translate: "no" }, d.label),
      button(t("compare.remove"), () => { f.held = f.held.filter((x) => x !== d); c.redraw(); }, "quiet tight", { "aria-label": t("compare.removeNode", { name: d.label }) })))),
    zone({ label: t(f.held.length > 0 ? "rotate.keysMore" : "rotate.keysChoose"), small: true, hint: t("rotate.keysHint"),
      ondrop: (d) => { f.held = [...f.held, d]; c.redraw(); } }).el);
}

function sealCard(f: RotationForm): HTMLElement {
  const id = uid("recipients");
  const area = h("textarea", { id, rows: 2, value: f.recipients, spellcheck: false, oninput: () => { f.recipients = area.value; } });
  const field = h("div", { class: "field", hidden: f.seal !== "recipients" }, h("label", { for: id }, t("rotate.recipients")), area);
  return h("section", { class: "card stack" },
    radios(f.seal, seals, "rotate.seal", t("rotate.seals"), (v) => { f.seal = v; field.hidden = v !== "recipients"; }), field);
}

// ── making ──────────────────────────────────────────────────────────────────

/** params are those of the engine; what is blank is as in the cluster. */
function params(f: RotationForm): Record<string, unknown> {
  const service = f.way === "service";
  const only = f.only.length < authorities.length && !service ? { only: f.only } : {};
  const chosen = (all: Partial<Record<Tier, string>>, fits: (tier: Tier) => boolean = () => true): Record<string, string> =>
    Object.fromEntries(made(f).filter((tier) => all[tier] && fits(tier)).map((tier) => [tier, all[tier]!]));
  const keys = chosen(f.keys, (tier) => renewsKey(f, tier)), validity = chosen(f.life);
  const plan = {
    ...(f.topology && replaces(f) ? { topology: f.topology } : {}),
    ...(Object.keys(keys).length > 0 ? { keys } : {}), ...(Object.keys(validity).length > 0 ? { validity } : {}),
  };
  return {
    ...only, ...(Object.keys(plan).length > 0 ? { plan: { apiVersion: "rootkiln/v1", kind: "Plan", ...plan } } : {}),
    ...(f.way === "roots" ? { step: f.step, newRoot: f.step === "" || f.step === "a" } : {}),
    ...(f.way === "same" ? { sameKey: true } : {}), ...(service ? { serviceKeyOnly: true } : {}),
    ...(f.way === "cas" && f.newIntermediate ? { newIntermediate: true } : {}),
    ...(!service && f.newServiceKey ? { newServiceKey: true } : {}),
    ...(f.prune && (service || f.newServiceKey) ? { prune: true } : {}),
    ...(replaces(f) ? { ...(f.root ? { root: f.root } : {}), ...(f.intermediate ? { intermediate: f.intermediate } : {}) } : {}),
  };
}

/** How the offline part is sealed; null: the question was called off. */
async function sealing(f: RotationForm): Promise<Record<string, unknown> | null> {
  if (f.seal === "recipients") return { recipients: f.recipients.split("\n").map((l) => l.trim()).filter(Boolean) };
  if (f.seal === "none") return {};
  const passphrase = await ask(t("rotate.sealTitle"), t("rotate.sealText"), { label: t("inspect.passphrase"), again: true });
  return passphrase === null ? null : { sealPassphrase: passphrase };
}

async function make(c: Context, f: RotationForm, out: HTMLElement): Promise<void> {
  if (session.busy) return;
  if (f.way !== "service" && f.only.length === 0) return failed(out, { kind: "usage", message: t("rotate.none"), findings: [] });
  const seal = await sealing(f);
  if (!seal) return;
  const control = new AbortController();
  const text = h("span", { role: "status" }, t("rotate.making"));
  replace(out, h("section", { class: "card" }, h("div", { class: "row" }, h("progress", { "aria-label": t("rotate.making") }), text,
    button(t("ui.cancel"), () => control.abort()))));
  out.scrollIntoView({ block: "nearest" });
  session.busy = true;
  guard();
  const held: Drop[] = f.held;
  try {
    const answer = await query(c.engine, "rotate", [c.drop, ...held], ([old, ...rest]) => ({ old, held: rest, ...params(f), ...seal }), {
      signal: control.signal,
      progress: (json) => {
        const step = JSON.parse(json) as Step;
        text.textContent = t(step.phase === "start" ? "rotate.searching" : "rotate.keyDone", { name: step.name, key: step.key, done: step.done, total: step.total });
      },
    });
    session.rotated = { answer: { ...answer, lang: lang() }, saved: new Set(), sealed: Object.keys(seal).length > 0 };
    session.busy = false;
    guard();
    c.redraw();
    document.querySelector<HTMLElement>(".rotated h2")?.focus();
    announce(t("rotate.made"));
  } catch (error) {
    session.busy = false;
    guard();
    if (control.signal.aborted) {
      replace(out, h("p", { class: "hint", role: "status" }, t("rotate.cancelled")));
    } else failed(out, failureOf(error));
  }
}

function failed(out: HTMLElement, f: Failure): void {
  const box = trouble(t("rotate.cannot"), f, { action: (x) => x.code === "rotation-key-missing" && button(t("rotate.keysChoose"), () => {
    document.querySelector<HTMLElement>("#rotate-keys ~ .drop button")?.focus();
  }, "quiet tight") });
  replace(out, box);
  box.focus();
}
