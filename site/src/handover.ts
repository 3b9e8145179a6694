// What a bundle gives to those who install and administer: text for installers, an
// administrator's kubeconfig, the full token. What holds a key is given as a file and
// never shown.

import type { NamedFile } from "../../wasm/engine";
import { failureOf, type EngineClient } from "./engine";
import { t } from "./i18n";
import { query, type Drop } from "./inspect-call";
import { button, command, copyButton, day, download, h, mark, replace, size, tabs, uid, type Child } from "./ui";

/** bundleOf makes a drop of an archive that was just made. */
export const bundleOf = (file: NamedFile): Drop => ({ label: file.name, files: [file], left: [], passed: 0, seen: 1 });

export interface PartOptions {
  file: NamedFile;
  title: string;
  hint: string;
  /** How it is closed, where that is to be said. */
  note?: string;
  kind?: "server" | "offline";
  button: string;
  /** Names of what was saved. */
  saved: Set<string>;
  onsaved: () => void;
}

/** part is a file to save, and whether it was. */
export function part(o: PartOptions): HTMLElement {
  const { file, kind } = o;
  const id = uid("part");
  const done = h("span", { class: "saved", role: "status" });
  const show = (): void => replace(done, o.saved.has(file.name) && [mark("ok"), t("result.saved")]);
  show();
  return h("div", { class: `part ${kind ?? ""}` },
    h("div", { id }, h("b", null, o.title), h("p", { class: "hint" }, o.hint),
      h("p", { class: "hint" }, h("code", { translate: "no" }, file.name), " · ", size(file.data.length), o.note && ` · ${o.note}`, " ", done)),
    button(t("result.download"), () => {
      download(file.name, file.data, /gz$/.test(file.name) ? "application/gzip" : undefined);
      o.saved.add(file.name);
      show();
      o.onsaved();
    }, o.button, kind ? { "aria-describedby": id, "data-part": kind } : { "aria-label": `${t("result.download")}: ${file.name}` }));
}

/** Fields is a row of inputs, of which the filled ones are given to a call. */
class Fields {
  private readonly inputs: Record<string, HTMLInputElement> = {};

  text(name: string, label: string, hint = "", value = ""): HTMLElement {
    const id = uid("field");
    const input = h("input", { type: "text", id, value, autocomplete: "off", autocapitalize: "off", spellcheck: false, "aria-describedby": hint && `${id}-h` });
    this.inputs[name] = input;
    return h("div", { class: "field" }, h("label", { for: id }, label), input, hint && h("span", { class: "hint", id: `${id}-h` }, hint));
  }

  get filled(): Record<string, string> {
    return Object.fromEntries(Object.entries(this.inputs).map(([k, v]) => [k, v.value.trim()]).filter(([, v]) => v));
  }
}

const refused = (error: unknown): HTMLElement => h("p", { class: "field-error", role: "alert" }, failureOf(error).message);

/** given is a file with its button, and its text where that may be seen. */
function given(file: NamedFile, shown = false): HTMLElement {
  const text = shown ? new TextDecoder().decode(file.data) : "";
  return h("div", { class: "export" },
    h("div", { class: "row spread" }, h("code", { translate: "no" }, file.name), h("span", { class: "row" },
      text && copyButton(text, t("ui.copy"), "quiet", { "aria-label": t("result.copyOf", { name: file.name }) }),
      button(t("exports.save"), () => download(file.name.split("/").pop()!, file.data, "text/plain"), "quiet", { "aria-label": t("exports.saveOf", { name: file.name }) }))),
    text && h("pre", { class: "code", tabindex: 0, role: "group", "aria-label": file.name }, h("code", null, text)));
}

// ── text for installers ─────────────────────────────────────────────────────

const formats = ["config", "cloud-init", "ansible", "secret"] as const;
type Format = (typeof formats)[number];

/** exportsCard writes the server part as text; name is the cluster's, where it has one. */
export function exportsCard(engine: EngineClient, drop: Drop, name = ""): HTMLElement {
  const id = uid("exports");
  return h("section", { class: "card stack", "aria-labelledby": id }, h("h2", { id }, t("exports.title")),
    tabs(t("exports.title"), formats.map((f) => ({ id: f, label: t(`exports.${f}`), panel: () => panel(f, engine, drop, name) }))));
}

function panel(format: Format, engine: EngineClient, drop: Drop, name: string): Child {
  const out = h("div", { class: "stack", "aria-live": "polite" });
  const fields = new Fields();
  const make = async (): Promise<void> => {
    try {
      const { value, files } = await query(engine, "export", [drop], ([set]) => ({ set, format, ...fields.filled }));
      const { limit = Infinity } = value;
      replace(out, value.size > limit && h("p", { class: "box warning" }, t("exports.limit", { size: size(value.size), limit: size(limit) })),
        files.map((f) => given(f, !value.keys)));
    } catch (error) {
      replace(out, refused(error));
    }
  };
  if (format === "config") void make(); // holds no key: shown at once
  return h("div", { class: "stack" }, h("p", { class: "hint" }, t(`exports.${format}Hint`)),
    format === "secret" && h("div", { class: "fields" }, fields.text("name", t("exports.nameLabel"), "", name), fields.text("namespace", t("exports.namespaceLabel"))),
    format !== "config" && h("div", { class: "row" }, button(t("exports.make"), () => void make()), h("span", { class: "hint" }, t("exports.hasKeys"))), out);
}

// ── an administrator ────────────────────────────────────────────────────────

/** adminCard signs a client certificate, as a server does for its own administrator. */
export function adminCard(engine: EngineClient, drop: Drop): HTMLElement {
  const id = uid("admin");
  const out = h("div", { class: "stack", "aria-live": "polite" });
  const fields = new Fields();
  const bare = h("input", { type: "checkbox" });
  const make = async (): Promise<void> => {
    const { groups, ...others } = fields.filled;
    try {
      const { value, files } = await query(engine, "admin", [drop], ([set]) => ({
        set, ...others, ...(groups && { groups: groups.split(/[,，、]/).map((g) => g.trim()).filter(Boolean) }), ...(bare.checked && { certificate: true, server: "" }),
      }));
      const until = day(value.notAfter);
      replace(out,
        h("p", { class: "none" }, mark("ok"), t("admin.made", { user: value.user, groups: value.groups.join(t("ui.comma")), until: `${until} ${value.notAfter.slice(11, 16)} UTC` })),
        value.unlimited.map((group) => h("p", { class: "box warning" }, t("admin.unlimited", { group, until }))),
        value.cut && h("p", { class: "box" }, t("admin.cut")),
        files.map((f) => given(f)),
        !bare.checked && command("kubectl --kubeconfig admin.kubeconfig auth whoami"));
    } catch (error) {
      replace(out, refused(error));
    }
  };
  return h("section", { class: "card stack", "aria-labelledby": id }, h("h2", { id }, t("admin.title")), h("p", { class: "hint" }, t("admin.text")),
    h("details", { class: "more" }, h("summary", null, t("admin.for")), h("form", { class: "stack", onsubmit: (e: Event) => { e.preventDefault(); void make(); } },
      h("div", { class: "fields" }, fields.text("server", t("admin.server"), t("admin.serverHint")), fields.text("validity", t("admin.life"), t("admin.lifeHint")),
        fields.text("user", t("admin.user"), t("admin.userHint")), fields.text("groups", t("admin.groups"), t("admin.groupsHint"))),
      h("label", { class: "check" }, bare, t("admin.bare")),
      h("div", { class: "row" }, h("button", { type: "submit", class: "button" }, t("admin.make")), h("span", { class: "hint" }, t("exports.hasKeys"))), out)));
}

// ── the full token ──────────────────────────────────────────────────────────

/** fullToken puts the token of a bundle together with its password. */
export function fullToken(engine: EngineClient, drop: Drop): HTMLElement {
  const out = h("div", { "aria-live": "polite" });
  const id = uid("secret");
  const secret = h("input", { type: "password", id, autocomplete: "off", spellcheck: false, "aria-describedby": `${id}-h` });
  const make = async (): Promise<void> => {
    const password = secret.value;
    if (!password) return secret.focus();
    secret.value = "";
    try {
      const { value } = await query(engine, "token", [drop], ([set]) => ({ set, password }));
      replace(out, value.full && [h("p", null, t("result.fullReady")),
        h("div", { class: "row" }, copyButton(value.full, t("result.copyFull"), "primary"), button(t("result.hideFull"), () => replace(out), "quiet"))]);
    } catch (error) {
      replace(out, refused(error));
    }
  };
  return h("details", { class: "more" }, h("summary", null, t("result.full")),
    h("form", { class: "stack", onsubmit: (e: Event) => { e.preventDefault(); void make(); } },
      h("div", { class: "field" }, h("label", { for: id }, t("result.secret")), secret, h("span", { class: "hint", id: `${id}-h` }, t("result.secretHint"))),
      h("div", { class: "row" }, h("button", { type: "submit", class: "button" }, t("result.makeFull"))), out));
}
