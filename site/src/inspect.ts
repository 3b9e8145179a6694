// The Inspect tab: something is dropped and stays in this tab; views of it follow.

import type { Inspection, NamedFile } from "../../wasm/engine";
import { checkView } from "./check";
import { compareView, nodesFrom } from "./compare";
import { failureOf, type EngineClient } from "./engine";
import { lang, t } from "./i18n";
import { againstView } from "./inspect-against";
import { query, type Drop } from "./inspect-call";
import { certificateTable, keyTable } from "./inspect-certificates";
import { dropFrom, saySoon, zone, type Zone } from "./inspect-drop";
import { sourcesOf, type Source } from "./drop";
import { bounds } from "./inspect-files";
import { trouble } from "./inspect-findings";
import { overview, type Report } from "./inspect-overview";
import { begin, guard, session, sure, views, type Context, type Session, type View } from "./inspect-session";
import { number, plural } from "./inspect-words";
import { rotateView } from "./rotate";
import { announce, button, download, h, replace, s, size, tabs, type Child } from "./ui";

let mounted: Inspect | undefined;
/** What was dropped elsewhere before this tab was there. */
let waiting: { files?: NamedFile[]; sources?: Source[] } | undefined;

/** mountInspect fills the tab. It may be called again, as after a change of language. */
export function mountInspect(host: HTMLElement, engine: EngineClient): void {
  mounted = new Inspect(host, engine);
  mounted.draw();
  const { files, sources } = waiting ?? {};
  waiting = undefined;
  if (files) openInInspect(files);
  if (sources) mounted.take(sources);
}

/** openInInspect shows files that another part of the page has: a bundle just made. */
export function openInInspect(files: NamedFile[]): void {
  if (mounted) mounted.open(dropFrom(files));
  else waiting = { files };
}

/** dropInInspect reads a drop that fell anywhere on the page, with the limits and
 *  states of this tab. It must be called in the event itself. */
export function dropInInspect(transfer: DataTransfer): void {
  const sources = sourcesOf(transfer);
  if (mounted) mounted.take(sources);
  else waiting = { sources };
}

class Inspect {
  private zone?: Zone;
  private readonly body = h("div", { class: "inspect" });
  /** Counts readings, so that an answer about an older drop is dropped. */
  private asked = 0;

  constructor(host: HTMLElement, private readonly engine: EngineClient) { replace(host, this.body); }

  draw(): void {
    guard();
    if (!session.drop) return this.empty();
    if (session.report?.lang === lang()) return this.frame(session.drop, session.report);
    void this.read(session.drop);
  }

  open(drop: Drop, before?: (s: Session) => void): void {
    void sure().then(async (yes) => {
      if (!yes) return;
      begin(drop);
      before?.(session);
      await this.read(drop);
      this.body.querySelector<HTMLElement>("h2")?.focus();
    });
  }

  take(sources: Source[]): void {
    if (!this.zone) this.frameZone();
    this.zone!.take(sources);
    this.zone!.el.scrollIntoView({ block: "nearest" });
  }

  // ── nothing dropped yet ───────────────────────────────────────────────────

  private empty(): void {
    const busy = h("p", { class: "hint", role: "status" });
    const sample = button(t("inspect.sampleOpen"), () => {
      sample.disabled = true;
      busy.textContent = t("inspect.sampleMaking");
      void this.sample().catch((error: unknown) => { busy.textContent = failureOf(error).message; sample.disabled = false; });
    });
    this.zone = zone({ label: t("ui.chooseFiles"), picture: [h("h2", { tabindex: -1 }, t("inspect.title")), pictures()],
      hint: t("inspect.limits", { file: size(bounds.file), total: size(bounds.total), files: number(bounds.files) }), ondrop: (d) => this.open(d) });
    replace(this.body, h("div", { class: "stack wide" }, this.zone.el,
      h("div", { class: "card stack" }, h("h3", null, t("inspect.sampleTitle")), h("p", null, t("inspect.sampleText")), h("div", { class: "row" }, sample, busy)),
      h("p", { class: "hint" }, t("inspect.promise"))));
  }

  /** A bundle made on the spot; its offline part lies ready for a rotation. An EC
   *  service key, since an RSA one would keep a visitor waiting. */
  private async sample(): Promise<void> {
    const { files } = await query(this.engine, "make", [], () => ({ plan: { apiVersion: "rootkiln/v1", kind: "Plan", name: "sample", keys: { service: "p256" } } }));
    const [server, offline] = files;
    this.open(dropFrom([server!], t("inspect.sample")), (s) => {
      if (offline) s.rotation.held = [dropFrom([offline], t("inspect.sampleOffline"))];
    });
  }

  // ── a drop ────────────────────────────────────────────────────────────────

  private async read(drop: Drop): Promise<void> {
    const number = ++this.asked;
    const said = saySoon(t("inspect.judging"));
    this.zone = undefined;
    replace(this.body, h("section", { class: "card stack", "aria-busy": true }, h("h2", { tabindex: -1 }, drop.label), h("p", { class: "muted" }, t("inspect.judging"))));
    try {
      const report = await judge(this.engine, drop);
      if (number !== this.asked) return;
      session.report = report;
      this.frame(drop, report);
    } catch (error) {
      if (number === this.asked) this.failed(drop, error);
    } finally {
      said();
    }
  }

  private failed(drop: Drop, error: unknown): void {
    const f = failureOf(error);
    this.empty();
    const box = trouble(t("inspect.cannot", { label: drop.label }), f);
    if (f.kind === "passphrase" || f.kind === "token") box.append(h("div", { class: "row" }, button(t("inspect.passphraseAgain"), () => this.open(drop))));
    this.body.firstElementChild!.prepend(box);
    begin();
  }

  private frame(drop: Drop, report: Report): void {
    this.zone = undefined;
    const shown = views.filter((v) => v === "overview" || v === "certificates" || v === "check" || v === "compare" || report.verification !== undefined);
    if (!shown.includes(session.view)) session.view = "overview";
    const panel = (view: View): Child => { session.view = view; return this.panel(view, drop, report); };
    const zoneHost = h("div", { class: "inspect-again", hidden: true });
    this.zoneHost = zoneHost;
    replace(this.body, h("div", { class: "stack wide" },
      h("header", { class: "row spread inspect-head" },
        h("div", null, h("h2", { tabindex: -1 }, drop.label),
          h("p", { class: "muted" }, t("inspect.read", { files: plural("inspect.files", drop.files.length), size: size(drop.files.reduce((sum, f) => sum + f.data.length, 0)) }))),
        h("div", { class: "row" },
          button(t("inspect.another"), () => { this.frameZone(); this.zone!.el.querySelector("button")?.focus(); }, "quiet"),
          button(t("inspect.json"), () => void this.json(drop, report), "quiet"),
          button(t("inspect.forget"), () => void this.forget(), "quiet"))),
      zoneHost,
      tabs(t("inspect.views"), shown.map((id) => ({ id, label: t(`inspect.view.${id}`), panel: () => panel(id) })), session.view)));
  }

  private zoneHost?: HTMLElement;

  /** Shows a drop zone above the present drop: dropping replaces it. */
  private frameZone(): void {
    this.zone ??= zone({ label: t("ui.chooseFiles"), hint: t("inspect.replaces"), small: true, ondrop: (d) => this.open(d) });
    if (this.zoneHost) { replace(this.zoneHost, this.zone.el); this.zoneHost.hidden = false; }
  }

  private panel(view: View, drop: Drop, report: Report): Child {
    const host = h("div");
    const show = (to: View): void => { session.view = to; this.frame(drop, report); this.body.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus(); };
    const context: Context = {
      engine: this.engine, drop, report, show, redraw: () => replace(host, build()),
      open: (d, before) => this.open(d, before),
    };
    const build = (): Child => {
      switch (view) {
        case "overview": return overview({ engine: this.engine, drop, report,
          onpick: (f) => { show("certificates"); this.table?.open(f); },
          oncompare: () => { session.nodes = nodesFrom(drop); show("compare"); } });
        case "certificates": return this.certificates(report.inspection);
        case "check": return checkView(context);
        case "against": return againstView(context);
        case "compare": return compareView(context);
        case "rotate": return rotateView(context);
      }
    };
    replace(host, build());
    return host;
  }

  private table?: ReturnType<typeof certificateTable>;

  private certificates(inspection: Inspection): Child {
    this.table = certificateTable(inspection);
    return h("div", { class: "stack wide" },
      h("section", { class: "card stack" }, h("h2", null, t("inspect.certificatesTitle")),
        inspection.certificates.length > 0 ? [h("p", { class: "hint" }, t("inspect.tableHint")), this.table.el] : h("p", { class: "none" }, t("inspect.noCertificates"))),
      h("section", { class: "card stack" }, h("h2", null, t("inspect.keysTitle")), keyTable(inspection)));
  }

  private async json(drop: Drop, report: Report): Promise<void> {
    const { value: expiry } = await query(this.engine, "check", [drop], ([set]) => ({ set }));
    const { inspection, verification } = report;
    const name = drop.label.replace(/[^\w.-]+/g, "-").replace(/(\.tar)?(\.gz|\.tgz|\.age)$/, "") || "drop";
    download(`${name}-report.json`, `${JSON.stringify({ label: drop.label, inspection, ...(verification ? { verification } : {}), check: expiry }, null, 2)}\n`, "application/json");
    announce(t("inspect.jsonSaved"));
  }

  private async forget(): Promise<void> {
    if (!await sure()) return;
    const all = [session.drop, session.second, session.staged, ...session.nodes.map((n) => n.drop), ...session.rotation.held];
    for (const f of [...all.flatMap((d) => d?.files ?? []), ...session.rotated?.answer.files ?? []]) f.data.fill(0);
    begin();
    this.engine.restart();
    this.draw();
    announce(t("inspect.forgotten"));
    this.body.querySelector<HTMLElement>("h2")?.focus();
  }
}

/** judge inspects a drop, and verifies it where it is a bundle. */
async function judge(engine: EngineClient, drop: Drop): Promise<Report> {
  const { value: inspection, lang: spoken } = await query(engine, "inspect", [drop], ([set]) => ({ set }));
  try {
    const { value } = await query(engine, "verify", [drop], ([set]) => ({ set }));
    return { lang: spoken, inspection, ...(value.directory ? { verification: value } : {}) };
  } catch (error) {
    return { lang: spoken, inspection, trouble: failureOf(error) };
  }
}

/** What can be dropped, drawn. */
const shapes: Record<string, string> = {
  archive: "M5 12h30v22H5zM3 5h34v7H3zM16 17h8",
  folder: "M3 8h12l4 5h18v22H3zM3 13h16",
  pem: "M8 3h17l7 7v27H8zM25 3v7h7M13 17h14M13 23h14M13 29h8",
  bootstrap: "M6 9c0-7 28-7 28 0v22c0 7-28 7-28 0zM6 9c0 7 28 7 28 0M6 20c0 7 28 7 28 0",
  kubeconfig: "M20 4l14 8v16l-14 8-14-8V12zM20 14v12M14 17l12 6M26 17l-12 6",
  dynamic: "M8 3h17l7 7v27H8zM25 3v7h7M17 16q-3 0-3 3v2q0 2-2 2q2 0 2 2v2q0 3 3 3M23 16q3 0 3 3v2q0 2 2 2q-2 0-2 2v2q0 3-3 3",
};

function pictures(): HTMLElement {
  return h("ul", { class: "droppable" }, Object.entries(shapes).map(([name, d]) => h("li", null,
    s("svg", { viewBox: "0 0 40 40", width: 40, height: 40, "aria-hidden": true }, s("path", { d })),
    h("b", null, t(`inspect.can.${name}`)), h("span", { class: "hint" }, t(`inspect.can.${name}Text`)))));
}
