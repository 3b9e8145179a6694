// The ground under every view: elements, findings, tables, copying, files in and
// out. Text reaches the page as text nodes only; there is no HTML string anywhere,
// which the policy `trusted-types 'none'` enforces.

import type { Finding, NamedFile, Severity } from "../../wasm/engine";
import { filesIn, sourcesOf, type Source } from "./drop";
import { t } from "./i18n";

export type Child = Node | string | number | null | undefined | false | Child[];

/** Attributes by name; `on…` takes a listener, live properties are set as such. */
export type Props = Record<string, string | number | boolean | null | undefined | ((event: never) => void)>;

/** What a browser keeps apart from the attribute of the same name. */
const properties = new Set(["value", "checked", "indeterminate"]);

function build<E extends Element>(el: E, props: Props | null, children: Child[]): E {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (typeof value === "function") {
      el.addEventListener(name.slice(2), value as unknown as EventListener);
    } else if (properties.has(name)) {
      Object.assign(el, { [name]: value });
    } else if (name.startsWith("aria-") && typeof value === "boolean") {
      el.setAttribute(name, String(value));
    } else if (value !== undefined && value !== null && value !== false) {
      el.setAttribute(name, value === true ? "" : String(value));
    }
  }
  put(el, ...children);
  return el;
}

/** h builds an HTML element: h("p", {class: "muted"}, "text", other). */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props | null = null, ...children: Child[]): HTMLElementTagNameMap[K] {
  // A select takes its value only once its options are there.
  const el = document.createElement(tag);
  if (tag !== "select" || !props) return build(el, props, children);
  const { value, ...rest } = props;
  build(el, rest, children);
  if (value !== undefined) (el as HTMLSelectElement).value = String(value);
  return el;
}

/** s builds an SVG element. */
export function s<K extends keyof SVGElementTagNameMap>(tag: K, props: Props | null = null, ...children: Child[]): SVGElementTagNameMap[K] {
  return build(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

/** put appends children, leaving out what is empty. */
export function put(host: Element, ...children: Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) put(host, ...child);
    else if (child !== null && child !== undefined && child !== false) host.append(child instanceof Node ? child : String(child));
  }
}

/** replace puts children in place of what a host has. */
export function replace(host: Element, ...children: Child[]): void {
  host.replaceChildren();
  put(host, ...children);
}

let serial = 0;
/** uid makes an id that no other element has. */
export const uid = (prefix: string): string => `${prefix}-${++serial}`;

// ── speaking ────────────────────────────────────────────────────────────────

let speaker: HTMLElement | undefined;

/** announce lets a screen reader say a sentence, after what it is saying now. */
export function announce(text: string): void {
  if (!speaker?.isConnected) {
    speaker = h("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    document.body.append(speaker);
  }
  const target = speaker;
  target.textContent = "";
  // A region that gets the same text twice is silent the second time.
  setTimeout(() => { target.textContent = text; }, 60);
}

/** prose is a sentence of the engine, in which commands and files stand between
 *  backticks. */
export const prose = (text: string): Child =>
  text.split("`").map((part, i) => (i % 2 === 1 ? h("code", { translate: "no" }, part) : part));

// ── buttons ─────────────────────────────────────────────────────────────────

/** button is a plain button; kind is "primary", "quiet" or nothing. */
export function button(label: Child, onclick: () => void, kind = "", props: Props = {}): HTMLButtonElement {
  return h("button", { type: "button", class: `button ${kind}`.trim(), ...props, onclick }, label);
}

/** copyButton copies a text, or what a function gives when it is pressed. */
export function copyButton(text: string | (() => string), label = t("ui.copy"), kind = "quiet", props: Props = {}): HTMLButtonElement {
  const el = button(label, () => {
    void copy(typeof text === "string" ? text : text()).then((done) => {
      el.textContent = t(done ? "ui.copied" : "ui.copyFailed");
      announce(el.textContent);
      setTimeout(() => { el.textContent = label; }, 1600);
    });
  }, kind, props);
  return el;
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard permission, as in a file of an older browser: the way of before.
    const area = h("textarea", { class: "visually-hidden", value: text, readonly: true, "aria-hidden": true, tabindex: -1 });
    const before = document.activeElement;
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (before instanceof HTMLElement) before.focus();
    return done;
  }
}

/** command is a line to be typed, with its copy button. */
export function command(text: string): HTMLElement {
  return h("div", { class: "command" },
    h("pre", { tabindex: 0, role: "group", "aria-label": t("ui.command") }, h("code", null, text)),
    copyButton(text, t("ui.copy"), "quiet", { "aria-label": `${t("ui.copy")}: ${text.split("\n", 1)[0]!}` }));
}

// ── files out ───────────────────────────────────────────────────────────────

/** download gives a file to the browser, which asks or saves by its own rules. */
export function download(name: string, data: Uint8Array | string, type = "application/octet-stream"): void {
  const url = URL.createObjectURL(new Blob([data as BlobPart], { type }));
  const link = h("a", { href: url, download: name, class: "visually-hidden" });
  document.body.append(link);
  link.click();
  link.remove();
  // The browser has taken hold of the blob by then; kept, it would keep keys.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// ── files in ────────────────────────────────────────────────────────────────

/** What one reading may bring in: a node has some hundred files of some kilobytes. */
export const limits = { files: 5_000, bytes: 64_000_000 };

/** TooMuch says that a drop went beyond the limits, before it was read. */
export class TooMuch extends Error {
  constructor(readonly what: "files" | "bytes", readonly amount: number) { super(what); }
}

/** readFiles reads what was chosen; folders keep their paths. */
export async function readFiles(list: Iterable<File>): Promise<NamedFile[]> {
  const files = [...list];
  if (files.length > limits.files) throw new TooMuch("files", files.length);
  const bytes = files.reduce((sum, f) => sum + f.size, 0);
  if (bytes > limits.bytes) throw new TooMuch("bytes", bytes);
  return Promise.all(files.map(async (f) => ({
    name: paths.get(f) ?? (f.webkitRelativePath || f.name),
    data: new Uint8Array(await f.arrayBuffer()),
    time: new Date(f.lastModified).toISOString(),
  })));
}

/** Paths of files that came out of dropped folders. */
const paths = new WeakMap<File, string>();

/** dropped finds the files of a drop. */
async function dropped(sources: Source[]): Promise<File[]> {
  const found: File[] = [];
  for await (const { file, path } of filesIn(sources)) {
    if (found.push(file) > limits.files) throw new TooMuch("files", found.length);
    paths.set(file, path);
  }
  return found;
}

export interface DropOptions {
  label: string;
  hint?: string;
  multiple?: boolean;
  /** Offers a second button that chooses a folder. */
  folder?: boolean;
  accept?: string;
  /** Small: one line, for a single field. */
  small?: boolean;
  onfiles: (files: NamedFile[]) => void;
  onerror?: (error: unknown) => void;
}

/** dropZone takes files by dropping, by choosing, and by the keyboard. */
export function dropZone(o: DropOptions): HTMLElement {
  const failed = h("p", { class: "field-error", role: "alert", hidden: true });
  const take = async (files: Promise<File[]>): Promise<void> => {
    failed.hidden = true;
    try {
      const chosen = await files;
      if (chosen.length > 0) o.onfiles(await readFiles(o.multiple || o.folder ? chosen : chosen.slice(0, 1)));
    } catch (error) {
      if (o.onerror) return o.onerror(error);
      failed.textContent = fileTrouble(error);
      failed.hidden = false;
    }
  };
  const picker = (folder: boolean): HTMLInputElement => h("input", {
    type: "file", class: "visually-hidden", tabindex: -1, "aria-hidden": true, "aria-label": o.label,
    multiple: o.multiple || folder, webkitdirectory: folder, accept: folder ? undefined : o.accept,
    onchange(event: Event) {
      const input = event.target as HTMLInputElement;
      void take(Promise.resolve([...input.files ?? []])).then(() => { input.value = ""; });
    },
  });
  const one = picker(false);
  const dir = o.folder ? picker(true) : undefined;
  const zone = h("div", {
    class: o.small ? "drop small" : "drop",
    ondragover(event: DragEvent) { event.preventDefault(); event.stopPropagation(); zone.classList.add("over"); },
    ondragleave() { zone.classList.remove("over"); },
    ondrop(event: DragEvent) {
      event.preventDefault();
      event.stopPropagation();
      zone.classList.remove("over");
      if (event.dataTransfer) void take(dropped(sourcesOf(event.dataTransfer)));
    },
  },
    button(o.label, () => one.click(), o.small ? "quiet" : ""), one,
    dir && [button(t("ui.chooseFolder"), () => dir.click(), "quiet"), dir],
    o.hint && h("span", { class: "hint" }, o.hint), failed);
  return zone;
}

/** fileTrouble puts a failed reading into words. */
export function fileTrouble(error: unknown): string {
  if (!(error instanceof TooMuch)) return t("ui.unreadable");
  return error.what === "files"
    ? t("ui.tooManyFiles", { most: limits.files })
    : t("ui.tooManyBytes", { size: size(error.amount), most: size(limits.bytes) });
}

// ── showing ─────────────────────────────────────────────────────────────────

/** size writes a number of bytes for people, in one piece. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let n = bytes, i = 0;
  for (; n >= 1000 && i < units.length - 1; i++) n /= 1000;
  return `${n >= 100 ? Math.round(n) : Number(n.toFixed(1))}\u00a0${units[i]!}`;
}

/** day is the date of a time in RFC 3339, in UTC, as certificates mean it. */
export const day = (time: string): string => time.slice(0, 10);

/** date is a day that is not broken at its hyphens. */
export const date = (time: string): HTMLElement => h("span", { class: "date" }, day(time));

/** groups writes a hash in groups of four, as it is read aloud. */
export const groups = (hex: string): string => hex.replace(/(.{4})(?=.)/g, "$1 ");

/** fingerprint shows a hash in groups that wrap between groups alone. */
export function fingerprint(hex: string): HTMLElement {
  return h("code", { class: "fingerprint", translate: "no" }, groups(hex).split(" ").map((g) => [h("span", null, g), " "]));
}

export interface TableOptions {
  caption: string;
  /** Shows the caption; else only screen readers have it. */
  titled?: boolean;
  head: string[];
  rows: { cells: Child[]; props?: Props }[];
  class?: string;
}

/** table is a real table in a region of its own that scrolls sideways. */
export function table(o: TableOptions): HTMLElement {
  return h("div", { class: `scroll ${o.class ?? ""}`.trim(), tabindex: 0, role: "region", "aria-label": o.caption },
    h("table", null,
      h("caption", { class: o.titled ? "" : "visually-hidden" }, o.caption),
      h("thead", null, h("tr", null, o.head.map((c) => h("th", { scope: "col" }, c)))),
      h("tbody", null, o.rows.map((r) => h("tr", r.props ?? null,
        r.cells.map((c, i) => i === 0 ? h("th", { scope: "row" }, c) : h("td", null, c)))))));
}

const order: Severity[] = ["error", "warning", "notice"];

export interface FindingOptions {
  /** Gives a control beside a finding, as "go to the field". */
  action?: (finding: Finding) => Child;
  /** What stands there when nothing was found. */
  none?: string;
  /** Level of the headings, where the list has a heading of its own above it. */
  open?: Severity[];
}

/** findings lists what is wrong: what, why, and what to do. Errors first. */
export function findings(list: Finding[], o: FindingOptions = {}): HTMLElement {
  if (list.length === 0) return h("p", { class: "none" }, mark("ok"), o.none ?? t("ui.noFindings"));
  const open = o.open ?? ["error"];
  const sorted = [...list].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  return h("ul", { class: "findings" }, sorted.map((f) => h("li", { class: f.severity, "data-code": f.code },
    h("details", { open: open.includes(f.severity) },
      h("summary", null, mark(f.severity), h("span", { class: "what" },
        h("span", { class: "visually-hidden" }, `${t(`ui.${f.severity}`)}: `), prose(f.what))),
      h("dl", null,
        f.why && [h("dt", null, t("ui.why")), h("dd", null, prose(f.why))],
        f.fix && [h("dt", null, t("ui.fix")), h("dd", null, prose(f.fix))]),
      h("p", { class: "code" }, h("code", { translate: "no" }, f.code), o.action?.(f))))));
}

/** counted is "2 errors, 1 warning": the short form of a list of findings. */
export function counted(list: Finding[]): string {
  return order.map((severity) => [severity, list.filter((f) => f.severity === severity).length] as const)
    .filter(([, n]) => n > 0)
    .map(([severity, n]) => t(n === 1 ? `ui.count.${severity}.one` : `ui.count.${severity}`, { n }))
    .join(t("ui.comma"));
}

/** Shapes that differ without colour: cross, triangle, dot, tick. */
const marks: Record<Severity | "ok", string> = {
  error: "M5 5l6 6M11 5l-6 6",
  warning: "M8 2.5L14 13.5H2zM8 6.5v3.2M8 11.4v.4",
  notice: "M8 7.2v4M8 4.6v.4",
  ok: "M4 8.5l2.8 2.8L12 5.5",
};

/** mark is the small sign of a severity; the word stands beside it. */
export function mark(kind: Severity | "ok"): SVGElement {
  return s("svg", { class: `mark ${kind}`, viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": true },
    kind !== "warning" && s("circle", { cx: 8, cy: 8, r: 7 }), s("path", { d: marks[kind] }));
}

// ── choosing ────────────────────────────────────────────────────────────────

export interface TabSpec { id: string; label: string; panel: () => Child }

/** tabs is a row of tabs by the pattern of the WAI-ARIA guide: arrows move. */
export function tabs(label: string, specs: TabSpec[], first = specs[0]?.id ?? ""): HTMLElement {
  const base = uid("tabs");
  const panel = h("div", { role: "tabpanel", id: `${base}-panel`, class: "panel", tabindex: 0 });
  const select = (id: string, focus: boolean): void => {
    for (const tab of row.children) {
      const on = tab.id === `${base}-${id}`;
      tab.setAttribute("aria-selected", String(on));
      tab.setAttribute("tabindex", on ? "0" : "-1");
      if (on && focus) (tab as HTMLElement).focus();
    }
    panel.setAttribute("aria-labelledby", `${base}-${id}`);
    replace(panel, specs.find((x) => x.id === id)?.panel());
  };
  const row = h("div", {
    role: "tablist", "aria-label": label, class: "tabs small",
    onkeydown(event: KeyboardEvent) {
      const at = specs.findIndex((x) => row.querySelector("[aria-selected=true]")?.id === `${base}-${x.id}`);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: specs.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      select(specs[(to + specs.length) % specs.length]!.id, true);
    },
  }, specs.map((x) => h("button", {
    type: "button", role: "tab", id: `${base}-${x.id}`, "aria-controls": `${base}-panel`, onclick: () => select(x.id, false),
  }, x.label)));
  select(first, false);
  return h("div", null, row, panel);
}

/** confirmLoss puts a question before something is lost; false unless it is answered with yes. */
export function confirmLoss(title: string, words: string, yes: string): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = false;
    const id = uid("confirm");
    const dialog = h("dialog", { "aria-labelledby": id, onclose: () => { dialog.remove(); resolve(answer); } },
      h("h2", { id }, title), h("p", { class: "muted" }, words),
      h("div", { class: "row end" }, button(t("ui.cancel"), () => dialog.close(), "quiet", { autofocus: true }),
        button(yes, () => { answer = true; dialog.close(); }, "danger")));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** ask shows a dialog that resolves with what was entered, or null. */
export function ask(title: string, text: Child, input: { label: string; type?: string; again?: boolean; wrong?: string }): Promise<string | null> {
  return new Promise((resolve) => {
    const id = uid("ask");
    const field = h("input", { id, type: input.type ?? "password", autocomplete: "off", required: true, spellcheck: false, "aria-describedby": `${id}-e` });
    const again = input.again ? h("input", { id: `${id}-2`, type: "password", autocomplete: "off", required: true }) : undefined;
    const wrong = h("p", { class: "field-error", id: `${id}-e`, role: "alert" }, input.wrong ?? "");
    let answer: string | null = null;
    const dialog = h("dialog", { "aria-labelledby": `${id}-t`, onclose() { dialog.remove(); resolve(answer); } },
      h("form", {
        onsubmit(event: Event) { // handled here: the policy allows no form to go anywhere
          event.preventDefault();
          if (again && again.value !== field.value) { wrong.textContent = t("ui.passphrasesDiffer"); again.focus(); return; }
          answer = field.value;
          dialog.close();
        },
      },
        h("h2", { id: `${id}-t` }, title), text && h("p", { class: "muted" }, text),
        h("label", { for: id }, input.label), field,
        again && [h("label", { for: `${id}-2` }, t("ui.again")), again], wrong,
        h("div", { class: "row end" }, button(t("ui.cancel"), () => dialog.close(), "quiet"),
          h("button", { type: "submit", class: "button primary" }, t("ui.ok")))));
    document.body.append(dialog);
    dialog.showModal();
    field.focus();
  });
}
