// The three cards of a plan: cluster, trust, life and keys. A field is found by
// its name in make-plan.ts; the engine's findings come back to it by that name.

import type { Finding, NamedFile, Planned } from "../../wasm/engine";
import { t } from "./i18n";
import { algorithms, fieldOf, slotOf, slotsOf, tiers, type Form, type Seal, type Slot, type Tier, type Trust } from "./make-plan";
import { day, dropZone, h, put, replace, size, type Child, type Props } from "./ui";

export interface FormView {
  el: HTMLElement;
  /** Shows what a plan resolved to beside the blanks. */
  resolved: (planned: Planned) => void;
  /** Marks fields that findings of level error speak of; none: clears. */
  mark: (findings: Finding[]) => void;
  /** Puts the focus on a field, opening what hides it. */
  focus: (field: string) => void;
}

const idOf = (field: string): string => `make-${field.replace(/\W/g, "-")}`;

export function makeForm(form: Form, changed: () => void): FormView {
  const view = new Fields(form, changed);
  const el = h("div", { class: "stack wide" }, clusterCard(view), trustCard(view), lifeCard(view));
  return { el, resolved: (p) => view.fill(p), mark: (f) => view.mark(el, f), focus: (f) => view.focus(f) };
}

/** Fields builds the fields of one form and remembers what follows the plan. */
class Fields {
  private readonly followers: ((planned: Planned) => void)[] = [];
  constructor(readonly form: Form, readonly changed: () => void) {}

  follow(f: (planned: Planned) => void): void { this.followers.push(f); }
  fill(planned: Planned): void { for (const f of this.followers) f(planned); }

  mark(host: HTMLElement, findings: Finding[]): void {
    for (const el of host.querySelectorAll("[aria-invalid]")) el.removeAttribute("aria-invalid");
    for (const el of host.querySelectorAll(".field-error[data-for]")) el.textContent = "";
    for (const f of findings.filter((x) => x.severity === "error")) {
      const id = idOf(fieldOf(f, this.form));
      const control = document.getElementById(id);
      if (control?.matches("input,select,textarea")) control.setAttribute("aria-invalid", "true");
      const error = host.querySelector(`[data-for="${id}"]`);
      if (error && !error.textContent) error.textContent = f.what;
    }
  }

  focus(field: string): void {
    const el = document.getElementById(idOf(field));
    for (let up = el?.parentElement; up; up = up.parentElement) if (up instanceof HTMLDetailsElement) up.open = true;
    const target = el?.matches("input,select,textarea,button") ? el : el?.querySelector<HTMLElement>("input:checked, input:not([type=file]), button, select");
    target?.focus();
    el?.scrollIntoView({ block: "center" });
  }

  /** A label, a control, a hint and a place for what is wrong. */
  field(name: string, label: string, control: HTMLElement, hint?: Child): HTMLElement {
    const id = idOf(name);
    control.id = id;
    control.setAttribute("aria-describedby", `${id}-h ${id}-e`);
    return h("div", { class: "field" }, h("label", { for: id }, label), control,
      h("span", { class: "hint", id: `${id}-h` }, hint), this.error(name));
  }

  error(name: string): HTMLElement {
    return h("p", { class: "field-error", id: `${idOf(name)}-e`, "data-for": idOf(name) });
  }

  input(value: string, set: (value: string) => void, props: Props = {}): HTMLInputElement {
    return h("input", {
      type: "text", value, autocomplete: "off", autocapitalize: "off", spellcheck: false, ...props,
      oninput: (e: Event) => { set((e.target as HTMLInputElement).value); this.changed(); },
    });
  }

  area(value: string, set: (value: string) => void, props: Props = {}): HTMLTextAreaElement {
    return h("textarea", {
      value, rows: 2, spellcheck: false, ...props,
      oninput: (e: Event) => { set((e.target as HTMLTextAreaElement).value); this.changed(); },
    });
  }

  /** Radio buttons as tiles; hint says what follows from the choice. */
  tiles(name: string, legend: string, value: string, options: [value: string, label: string, hint: string][], set: (value: string) => void, hidden = false): HTMLElement {
    return h("fieldset", { id: idOf(name) }, h("legend", { class: hidden ? "visually-hidden" : "label" }, legend),
      h("div", { class: "tiles" }, options.map(([v, label, hint]) => h("label", { class: "tile" },
        h("input", { type: "radio", name: idOf(name), value: v, checked: v === value, onchange: () => { set(v); this.changed(); } }),
        h("b", null, label), hint && h("span", { class: "hint" }, hint)))), this.error(name));
  }
}

function clusterCard(v: Fields): HTMLElement {
  const { form } = v;
  return h("section", { class: "card stack", "aria-labelledby": "make-cluster" }, h("h2", { id: "make-cluster" }, t("make.cluster")),
    v.tiles("distro", t("make.distro"), form.distro, [
      ["k3s", "k3s", t("make.distro.k3s")], ["rke2", "RKE2", t("make.distro.rke2")],
    ], (x) => { form.distro = x; }, true),
    h("div", { class: "fields" },
      v.field("name", t("make.name"), v.input(form.name, (x) => { form.name = x; }, { placeholder: t("make.optional") }), t("make.nameHint")),
      v.field("organization", t("make.organization"), v.area(form.organization, (x) => { form.organization = x; }, { placeholder: t("make.optional"), rows: 1, class: "plain" }), t("make.organizationHint"))));
}

function trustCard(v: Fields): HTMLElement {
  const { form } = v;
  const inputs = h("div", { class: "stack" });
  const draw = (): void => replace(inputs, trustInputs(v, draw));
  draw();
  return h("section", { class: "card stack", "aria-labelledby": "make-trust-h" }, h("h2", { id: "make-trust-h" }, t("make.trust")),
    v.tiles("trust", t("make.trustLegend"), form.trust, (["new", "root", "intermediate", "elsewhere"] as Trust[]).map((x) =>
      [x, t(`make.trust.${x}`), t(`make.trust.${x}Hint`)]), (x) => { form.trust = x as Trust; draw(); }, true),
    inputs,
    v.tiles("topology", t("make.topology"), form.topology, [
      ["isolated", t("make.isolated"), t("make.isolatedHint")], ["shared", t("make.shared"), t("make.sharedHint")],
    ], (x) => { form.topology = x; draw(); }),
    serviceKeys(v));
}

function trustInputs(v: Fields, redraw: () => void): Child {
  const { form } = v;
  const wanted = slotsOf[form.trust];
  return [
    form.trust === "elsewhere" && rooms(),
    wanted.length > 0 && h("div", { class: "fields" }, wanted.map((slot) => fileField(v, slot, wanted, redraw))),
    form.trust !== "new" && h("p", { class: "hint" }, t(form.topology === "isolated" ? "make.usedIsolated" : "make.usedShared")),
  ];
}

/** Four steps, so that the second machine is no surprise. */
function rooms(): HTMLElement {
  return h("ol", { class: "rooms" }, [1, 2, 3, 4].map((n) => h("li", { class: n === 2 || n === 3 ? "there" : "" },
    h("b", null, t(`make.room${n}`)), h("span", { class: "hint" }, t(`make.room${n}Hint`)))));
}

function fileField(v: Fields, slot: Slot, allowed: Slot[], redraw: () => void): HTMLElement {
  const { form } = v;
  const name = `files.${slot}`;
  const file = form.files[slot];
  const label = t(`make.files.${slot}`);
  const take = (files: NamedFile[]): void => {
    for (const f of files) {
      const place = slotOf(f, slot, allowed);
      form.files[place] = f;
      delete form.wanted[place];
    }
    redraw();
    v.changed();
    v.focus(name);
  };
  return h("div", { class: "field", id: idOf(name), role: "group", "aria-label": label },
    h("span", { class: "label" }, label),
    file ? chosen(file, () => { delete form.files[slot]; redraw(); v.changed(); v.focus(name); })
      : dropZone({
        label: t("ui.chooseFile"), multiple: true, small: true, onfiles: take,
        hint: form.wanted[slot] ? t("make.wanted", { name: form.wanted[slot] })
          : t(form.trust === "elsewhere" ? "make.rootElsewhereHint" : `make.files.${slot}Hint`),
      }),
    v.error(name));
}

function chosen(file: NamedFile, remove: () => void): HTMLElement {
  return h("div", { class: "chosen" }, h("code", { translate: "no" }, file.name), h("span", { class: "hint" }, size(file.data.length)),
    h("button", { type: "button", class: "button quiet", "aria-label": t("make.removeFile", { name: file.name }), onclick: remove }, t("make.remove")));
}

function serviceKeys(v: Fields): HTMLElement {
  const { form } = v;
  const body = h("div", { class: "stack", id: idOf("serviceKeys"), role: "group", "aria-label": t("make.serviceKeys") });
  const draw = (): void => replace(body,
    h("p", { class: "hint" }, t("make.serviceKeysHint")),
    form.serviceKeys.map((file, i) => chosen(file, () => { form.serviceKeys.splice(i, 1); draw(); v.changed(); v.focus("serviceKeys"); })),
    dropZone({
      label: t("ui.chooseFile"), multiple: true, small: true,
      hint: form.wantedServiceKeys.length > 0 ? t("make.wanted", { name: form.wantedServiceKeys.join(", ") }) : "service.key",
      onfiles: (files) => { form.serviceKeys.push(...files); form.wantedServiceKeys = []; draw(); v.changed(); v.focus("serviceKeys"); },
    }),
    form.serviceKeys.length > 0 && h("label", { class: "check" }, h("input", {
      type: "checkbox", checked: form.keepServiceKey,
      onchange: (e: Event) => { form.keepServiceKey = (e.target as HTMLInputElement).checked; v.changed(); },
    }), t("make.keepServiceKey")), v.error("serviceKeys"));
  draw();
  return h("details", { class: "more", open: form.serviceKeys.length + form.wantedServiceKeys.length > 0 }, h("summary", null, t("make.serviceKeys")), body);
}

function lifeCard(v: Fields): HTMLElement {
  const { form } = v;
  return h("section", { class: "card stack", "aria-labelledby": "make-life" }, h("h2", { id: "make-life" }, t("make.life")),
    h("div", { class: "tiers" }, tiers.map((tier) => tierRow(v, tier))),
    sealFields(v),
    h("details", { class: "more", open: form.profile !== "strict" || form.dns + form.ip + form.time !== "" || form.elsewhere.length > 0 },
      h("summary", null, t("make.more")), h("div", { class: "stack" }, more(v))));
}

function tierRow(v: Fields, tier: Tier): HTMLElement {
  const { form } = v;
  const choice = h("select", {
    value: form.keys[tier], id: idOf(`keys.${tier}`), "aria-label": t("make.algorithmOf", { tier: t(`make.tier.${tier}`) }),
    onchange: (e: Event) => { form.keys[tier] = (e.target as HTMLSelectElement).value; slow(); v.changed(); },
  }, h("option", { value: "" }, t("make.default")), algorithms.map((a) => h("option", { value: a }, t(`make.alg.${a}`))));
  const hint = h("span", { class: "hint" });
  const slow = (): void => { hint.textContent = form.keys[tier].startsWith("rsa") && form.keys[tier] !== "rsa2048" ? t("make.slowKey") : ""; };
  slow();
  v.follow((p) => {
    const key = p.keys.find((k) => tierOf(k.role) === tier)?.key;
    if (key) choice.options[0]!.textContent = t("make.defaultIs", { value: t(`make.alg.${key}`) });
  });
  return h("div", { class: "tier" },
    h("div", { class: "tier-name" }, h("b", null, t(`make.tier.${tier}`)), h("span", { class: "hint" }, t(`make.tier.${tier}Hint`))),
    h("div", { class: "field" }, choice, hint, v.error(`keys.${tier}`)),
    tier === "service" ? h("div", { class: "hint tier-life" }, t("make.serviceLife")) : lifeField(v, tier));
}

/** A slider for whole years, and a field for everything else. */
function lifeField(v: Fields, tier: Exclude<Tier, "service">): HTMLElement {
  const { form } = v;
  const label = t("make.lifeOf", { tier: t(`make.tier.${tier}`) });
  const years = (text: string): string => /^(\d+)y$/.exec(text)?.[1] ?? "";
  const ends = h("output", { class: "hint ends" });
  const typed = v.input(form.life[tier], (x) => { form.life[tier] = x.trim(); if (years(x)) slider.value = years(x); }, {
    id: idOf(`life.${tier}`), "aria-label": label, class: "short", "aria-describedby": `${idOf(`life.${tier}`)}-e`,
  });
  const slider = h("input", {
    type: "range", min: 1, max: 30, value: years(form.life[tier]) || "10", "aria-label": t("make.yearsOf", { tier: t(`make.tier.${tier}`) }),
    oninput: (e: Event) => { form.life[tier] = typed.value = `${(e.target as HTMLInputElement).value}y`; v.changed(); },
  });
  v.follow((p) => {
    const life = p.lives.find((l) => tierOf(l.role) === tier);
    if (!life) { ends.textContent = ""; return; }
    ends.textContent = t("make.ends", { date: day(life.until) });
    const resolved = Math.round((Date.parse(life.until) - Date.parse(life.from)) / (365 * 86_400_000));
    if (!form.life[tier]) { typed.placeholder = `${resolved}y`; slider.value = String(resolved); }
  });
  return h("div", { class: "field tier-life" }, h("div", { class: "slider" }, slider, typed), ends, v.error(`life.${tier}`));
}

/** tierOf is the tier of a role by its name, as the layouts name them. */
export function tierOf(role: string): Tier {
  if (role === "service" || role === "intermediate") return role;
  return role.endsWith("root") ? "root" : "ca";
}

function sealFields(v: Fields): HTMLElement {
  const { form } = v;
  const body = h("div");
  const draw = (): void => replace(body, form.seal === "recipients"
    ? v.field("recipients", t("make.recipients"), v.area(form.recipients, (x) => { form.recipients = x; }, { placeholder: "age1…\nssh-ed25519 …" }), t("make.recipientsHint"))
    : form.seal === "passphrase" && h("p", { class: "hint" }, t("make.passphraseLater")));
  draw();
  return h("div", { class: "stack" }, v.tiles("seal", t("make.seal"), form.seal, (["none", "recipients", "passphrase"] as Seal[]).map((x) =>
    [x, t(`make.seal.${x}`), t(`make.seal.${x}Hint`)]), (x) => { form.seal = x as Seal; draw(); }), body);
}

/** Roots and intermediates whose keys may be elsewhere, beside the root itself. */
const otherElsewhere = ["intermediate", "client-root", "request-header-root", "etcd-peer-root", "etcd-server-root"];

function more(v: Fields): Child {
  const { form } = v;
  const boxes = h("fieldset", { class: "stack" }, h("legend", null, t("make.elsewhere")), h("p", { class: "hint" }, t("make.elsewhereHint")));
  put(boxes, h("div", { class: "row" }, otherElsewhere.map((role) => h("label", { class: "check" }, h("input", {
    type: "checkbox", checked: form.elsewhere.includes(role),
    onchange: (e: Event) => {
      form.elsewhere = form.elsewhere.filter((r) => r !== role).concat((e.target as HTMLInputElement).checked ? [role] : []);
      v.changed();
    },
  }), h("code", { translate: "no" }, role)))));
  return [
    v.tiles("profile", t("make.profile"), form.profile, [
      ["strict", t("make.strict"), t("make.strictHint")], ["upstream", t("make.upstream"), t("make.upstreamHint")],
    ], (x) => { form.profile = x; }),
    h("div", { class: "fields" },
      v.field("dns", t("make.dns"), v.area(form.dns, (x) => { form.dns = x; }, { placeholder: "example.internal" }), t("make.constraintsHint")),
      v.field("ip", t("make.ip"), v.area(form.ip, (x) => { form.ip = x; }, { placeholder: "10.0.0.0/8" }), t("make.constraintsHint2"))),
    v.field("time", t("make.time"), v.input(form.time, (x) => { form.time = x.trim(); }, { placeholder: t("make.timeNow") }), t("make.timeHint")),
    boxes,
  ];
}
