// What the Make form holds, and the way between it and a plan document. Blank
// means "as the profile says": the page repeats no default of the core.

import type { NamedFile } from "../../wasm/engine";
import { t } from "./i18n";

/** Where the top of the chain comes from. */
export type Trust = "new" | "root" | "intermediate" | "elsewhere";

/** Files that a plan's inputs name, each with its place in the plan. */
export const slots = ["root", "rootKey", "intermediate", "intermediateKey"] as const;
export type Slot = (typeof slots)[number];

/** Which files each choice of trust asks for. */
export const slotsOf: Record<Trust, Slot[]> = {
  new: [],
  root: ["root", "rootKey"],
  intermediate: ["intermediate", "intermediateKey"],
  elsewhere: ["root"],
};

export const tiers = ["root", "intermediate", "ca", "service"] as const;
export type Tier = (typeof tiers)[number];
export const algorithms = ["p256", "p384", "p521", "rsa2048", "rsa3072", "rsa4096"] as const;

/** How the offline archive is closed. */
export type Seal = "none" | "recipients" | "passphrase";

export interface Form {
  distro: string;
  name: string;
  organization: string;
  trust: Trust;
  files: Partial<Record<Slot, NamedFile>>;
  serviceKeys: NamedFile[];
  keepServiceKey: boolean;
  topology: string;
  profile: string;
  keys: Record<Tier, string>;
  life: Record<Exclude<Tier, "service">, string>;
  /** Roots elsewhere besides the one that `trust` speaks of. */
  elsewhere: string[];
  dns: string;
  ip: string;
  time: string;
  seal: Seal;
  recipients: string;
  /** Names of inputs that a loaded plan wants and that are not there yet. */
  wanted: Partial<Record<Slot, string>>;
  wantedServiceKeys: string[];
}

export const blank = (): Form => ({
  distro: "k3s", name: "", organization: "", trust: "new", files: {}, serviceKeys: [], keepServiceKey: false,
  topology: "isolated", profile: "strict",
  keys: { root: "", intermediate: "", ca: "", service: "" }, life: { root: "", intermediate: "", ca: "" },
  elsewhere: [], dns: "", ip: "", time: "", seal: "none", recipients: "", wanted: {}, wantedServiceKeys: [],
});

/** items splits what people write into one field: by lines, commas or spaces. */
export const items = (text: string): string[] => text.split(/[\s,，、]+/).filter(Boolean);

/** lineItems splits by lines alone: organizations and recipients have spaces. */
export const lineItems = (text: string): string[] => text.split(/\n/).map((l) => l.trim()).filter(Boolean);

type Document = Record<string, unknown>;

/** without drops what is empty, so that a plan says only what was decided. */
function without(fields: Document): Document | undefined {
  const kept = Object.entries(fields).filter(([, v]) =>
    v !== undefined && v !== "" && v !== false && !(Array.isArray(v) && v.length === 0));
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

/** filesOf are the input files of a form in the order of the call, each with a name of its own. */
export function filesOf(form: Form): { files: NamedFile[]; named: Partial<Record<Slot, string>>; serviceKeys: string[] } {
  const files: NamedFile[] = [];
  const name = (file: NamedFile): string => {
    const taken = (n: string): boolean => files.some((f) => f.name === n);
    let base = file.name.split("/").pop()!, n = 2;
    for (const plain = base; taken(base); n++) base = plain.replace(/(\.[^.]*)?$/, (ending) => `-${n}${ending}`);
    files.push({ ...file, name: base });
    return base;
  };
  const named: Partial<Record<Slot, string>> = {};
  for (const slot of slotsOf[form.trust]) {
    const file = form.files[slot];
    if (file) named[slot] = name(file);
  }
  return { files, named, serviceKeys: form.serviceKeys.map(name) };
}

/** toPlan writes the plan document of a form. */
export function toPlan(form: Form): Document {
  const { named, serviceKeys } = filesOf(form);
  const roots = form.trust === "elsewhere" && !form.files.root ? ["root"] : [];
  return {
    apiVersion: "rootkiln/v1", kind: "Plan",
    ...without({
      distro: form.distro, name: form.name.trim(), topology: form.topology, profile: form.profile, time: form.time,
      organization: lineItems(form.organization),
      keys: without(form.keys), validity: without({ ...form.life }),
      elsewhere: [...roots, ...form.elsewhere.filter((r) => form.topology === "isolated" || r === "intermediate")],
      nameConstraints: without({ permittedDNS: items(form.dns), permittedIP: items(form.ip) }),
      inputs: without({ ...named, serviceKeys, keepServiceKey: form.keepServiceKey && serviceKeys.length > 0 }),
    }),
  };
}

const text = (v: unknown): string => typeof v === "string" ? v : "";
const list = (v: unknown): string[] => Array.isArray(v) ? v.filter((x): x is string => typeof x === "string") : [];
const fields = (v: unknown): Document => typeof v === "object" && v !== null ? v as Document : {};

/** fromPlan fills a form from a plan document that the engine has read. Files that it
 *  names are wanted. */
export function fromPlan(document: string): Form {
  const plan = JSON.parse(document) as Document;
  const form = blank();
  const keys = fields(plan["keys"]), life = fields(plan["validity"]), limits = fields(plan["nameConstraints"]), inputs = fields(plan["inputs"]);
  if (inputs["directory"]) throw new Error(t("make.planDirectory", { directory: text(inputs["directory"]) }));
  for (const field of ["distro", "topology", "profile"] as const) form[field] = text(plan[field]) || form[field];
  form.name = text(plan["name"]);
  form.time = text(plan["time"]);
  form.organization = list(plan["organization"]).join("\n");
  for (const tier of tiers) {
    form.keys[tier] = text(keys[tier]);
    if (tier !== "service") form.life[tier] = text(life[tier]);
  }
  form.dns = list(limits["permittedDNS"]).join(" ");
  form.ip = list(limits["permittedIP"]).join(" ");
  for (const slot of slots) if (text(inputs[slot])) form.wanted[slot] = text(inputs[slot]);
  form.wantedServiceKeys = list(inputs["serviceKeys"]);
  form.keepServiceKey = inputs["keepServiceKey"] === true;
  const elsewhere = list(plan["elsewhere"]);
  form.elsewhere = elsewhere.filter((r) => r !== "root");
  form.trust = form.wanted.intermediate ? "intermediate" : form.wanted.rootKey ? "root"
    : elsewhere.includes("root") || form.wanted.root ? "elsewhere" : "new";
  return form;
}

/** slotOf tells certificates from keys by their PEM markers, whichever field they were dropped on. */
export function slotOf(file: NamedFile, onto: Slot, allowed: Slot[]): Slot {
  const head = new TextDecoder().decode(file.data.subarray(0, 1 << 16));
  const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(head), certificate = head.includes("-----BEGIN CERTIFICATE-----");
  if (key === certificate) return onto; // both or neither: the user knows better
  const fitting = allowed.filter((s) => s.endsWith("Key") === key);
  return fitting.includes(onto) ? onto : fitting[0] ?? onto;
}

/** fieldOf is the form field that a finding speaks of, by its subject; "" if none. */
export function fieldOf({ code, subject }: { code: string; subject: string }, form: Form): string {
  if (code.startsWith("recipient-")) return "recipients";
  const path = subject.replace(/[[#].*$/, "");
  const given = path === "root" || path === "intermediate" ? path : undefined;
  if (given && form.files[given]) return code.startsWith("key-") ? `files.${given}Key` : `files.${given}`;
  const direct: Record<string, string> = {
    name: "name", organization: "organization", distro: "distro", topology: "topology", profile: "profile", time: "time",
    elsewhere: "trust", request: "trust", "inputs.serviceKeys": "serviceKeys", inputs: "trust",
    "nameConstraints.permittedDNS": "dns", "nameConstraints.permittedIP": "ip", nameConstraints: "dns",
    service: "keys.service", root: "life.root", intermediate: "life.intermediate",
  };
  if (direct[path]) return direct[path];
  const tier = /^(keys|validity)\.(\w+)$/.exec(path);
  if (tier) return `${tier[1] === "keys" ? "keys" : "life"}.${tier[2]!}`;
  const input = /^inputs\.(\w+)$/.exec(path);
  if (input && (slots as readonly string[]).includes(input[1]!)) return `files.${input[1]!}`;
  const { named, serviceKeys } = filesOf(form);
  for (const slot of slots) if (named[slot] === path) return `files.${slot}`;
  if (serviceKeys.includes(path)) return "serviceKeys";
  return path.endsWith("-root") ? "life.root" : path.endsWith("-ca") ? "life.ca" : "";
}
