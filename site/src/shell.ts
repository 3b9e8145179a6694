// What is around the two tabs: name, language, theme, digest, the promise, the state
// of the engine, and files that fall anywhere.

import { about } from "./about";
import { read, tabs, themes, write, type Place, type Tab } from "./address";
import { clockTrouble } from "./capabilities";
import type { EngineClient, State } from "./engine";
import { lang, learn, setLang, t } from "./i18n";
import { promise } from "./promise";
import { announce, button, h, replace, s, size } from "./ui";
import { keepOffline } from "./update";
import { showVerify } from "./verify";

/** View fills a tab; it is called again after a change of language. */
export type View = (host: HTMLElement) => void;

export class Shell {
  private readonly head = h("header", { class: "page-head" });
  private readonly under = h("div", { class: "page-under" });
  private readonly engineState = h("div", { class: "engine-state" });
  private readonly clock = h("div");
  private readonly update = h("div");
  private readonly panels: Record<Tab, HTMLElement>;
  private readonly mounted = new Set<Tab>();
  private readonly promise;
  private place: Place = read();

  constructor(private readonly engine: EngineClient, private readonly views: Record<Tab, View>) {
    const panel = (tab: Tab): HTMLElement => h("div", { id: `panel-${tab}`, role: "tabpanel", "aria-labelledby": `tab-${tab}` });
    this.panels = { make: panel("make"), inspect: panel("inspect") };
    this.promise = promise(engine);
  }

  /** draw fills the page. */
  draw(): void {
    replace(document.getElementById("page")!, this.head, h("div", { class: "page-notices" }, this.clock, this.update),
      h("main", { id: "main" }, tabs.map((tab) => this.panels[tab])));
    this.under.append(this.promise.el, this.engineState);
    this.go(this.place);
    this.engine.watch((state) => this.drawEngine(state));
    addEventListener("hashchange", () => void learn(read().lang).then(() => this.go(read())));
    void keepOffline(this.update);
  }

  /** dropAnywhere opens Inspect for files that fall beside every drop zone. */
  dropAnywhere(take: (transfer: DataTransfer) => void): void {
    const brings = (e: DragEvent): boolean => e.dataTransfer?.types.includes("Files") === true && !document.querySelector("dialog[open]");
    addEventListener("dragover", (e) => {
      if (e.dataTransfer?.types.includes("Files")) e.preventDefault(); // else the browser leaves for the file
      document.body.classList.toggle("over", brings(e) && !(e.target as Element).closest?.(".drop"));
    });
    addEventListener("dragleave", (e) => { if (!e.relatedTarget) document.body.classList.remove("over"); });
    addEventListener("drop", (e) => {
      document.body.classList.remove("over");
      if (e.defaultPrevented || !e.dataTransfer) return;
      e.preventDefault();
      if (!brings(e)) return;
      take(e.dataTransfer); // in the event itself: its list is empty later
      this.change({ tab: "inspect" });
    }, false);
    addEventListener("drop", () => document.body.classList.remove("over"), true); // a zone keeps its drop to itself
  }

  private change(part: Partial<Place>): void {
    const next = { ...this.place, ...part };
    write(next);
    if (next.lang === lang()) this.go(next);
    else void learn(next.lang).then(() => this.go(next));
  }

  private go(place: Place): void {
    this.place = place;
    const { theme } = place;
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    const again = place.lang !== lang() || this.mounted.size === 0;
    setLang(place.lang);
    document.title = t("shell.title");
    this.drawHead();
    for (const tab of tabs) this.panels[tab].hidden = tab !== place.tab;
    if (again) {
      this.promise.draw();
      this.drawEngine(this.engine.state);
      const clock = clockTrouble();
      replace(this.clock, clock && h("div", { class: "box warning", role: "alert" }, clock));
      for (const tab of this.mounted) this.views[tab](this.panels[tab]);
    }
    if (!this.mounted.has(place.tab)) {
      this.mounted.add(place.tab);
      this.views[place.tab](this.panels[place.tab]);
    }
  }

  // ── head ──────────────────────────────────────────────────────────────────

  private drawHead(): void {
    const held = document.activeElement?.id;
    const next = themes[(themes.indexOf(this.place.theme) + 1) % themes.length]!;
    replace(this.head,
      h("a", { class: "skip", href: "#main", onclick: (e: Event) => this.skip(e) }, t("shell.skip")),
      h("div", { class: "page-bar" },
        h("h1", null, kiln(), "rootkiln"),
        h("div", { class: "tabs", role: "tablist", "aria-label": t("shell.tabs") }, tabs.map((tab) => this.tab(tab))),
        h("div", { class: "page-tools" },
          button(lang() === "zh" ? "English" : "简体中文", () => this.change({ lang: lang() === "zh" ? "en" : "zh" }), "quiet",
            { id: "language", lang: lang() === "zh" ? "en" : "zh-Hans" }),
          button(t(`shell.theme.${this.place.theme}`), () => { this.change({ theme: next }); announce(t(`shell.theme.${next}`)); }, "quiet",
            { id: "theme", "aria-label": t("shell.theme", { theme: t(`shell.theme.${this.place.theme}`) }) }),
          button([h("span", { class: "visually-hidden" }, `${t("shell.verify")}: `), h("code", { translate: "no" }, about.engine.sha256.slice(0, 8))],
            showVerify, "quiet", { id: "digest", title: t("shell.engineHash") }))),
      this.under);
    replace(this.under, this.promise.el, button(t("shell.verify"), showVerify, "quiet tight", { id: "verify" }), this.engineState);
    if (held) document.getElementById(held)?.focus();
  }

  private tab(tab: Tab): HTMLElement {
    const open = tab === this.place.tab;
    return h("button", {
      type: "button", role: "tab", id: `tab-${tab}`, "aria-controls": `panel-${tab}`, "aria-selected": open, tabindex: open ? 0 : -1,
      onclick: () => this.change({ tab }), onkeydown: (e: KeyboardEvent) => this.keys(e),
    }, t(`shell.${tab}`));
  }

  /** Arrows walk between tabs (ARIA Authoring Practices, Tabs). */
  private keys(e: KeyboardEvent): void {
    const at = tabs.indexOf(this.place.tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    this.change({ tab: tabs[(to + tabs.length) % tabs.length]! });
    document.getElementById(`tab-${this.place.tab}`)?.focus();
  }

  private skip(e: Event): void {
    e.preventDefault(); // the fragment is the page's own
    this.panels[this.place.tab].querySelector<HTMLElement>("button, input, select, textarea, [tabindex]")?.focus();
  }

  // ── engine ────────────────────────────────────────────────────────────────

  private bytes: HTMLElement | undefined;
  private progress: HTMLProgressElement | undefined;

  private drawEngine(state: State): void {
    const host = this.engineState;
    host.hidden = state.name === "ready";
    if (state.name === "loading" && this.progress?.isConnected) { // many times a second
      this.progress.value = state.bytes;
      this.bytes!.textContent = size(state.bytes);
      return;
    }
    switch (state.name) {
      case "loading":
        this.bytes = h("span", { class: "bytes" }, size(state.bytes));
        this.progress = h("progress", { max: state.of, value: state.bytes, "aria-label": t("shell.loading") });
        return replace(host, h("span", { role: "status" }, t("shell.loading")), this.progress, this.bytes, ` / ${size(state.of)}`);
      case "starting":
        return replace(host, h("span", { role: "status" }, t("shell.starting")));
      case "failed":
        return replace(host, h("div", { class: "box error row", role: "alert" }, t("shell.failed", { reason: state.reason }),
          button(t("shell.again"), () => this.engine.restart())));
      case "ready":
        return replace(host);
    }
  }
}

/** The mark: a closed kiln with its fire. The same as public/icon.svg. */
function kiln(): SVGElement {
  return s("svg", { class: "kiln", viewBox: "0 0 64 64", width: 24, height: 24, "aria-hidden": true },
    s("path", { class: "arch", d: "M14 50V32a18 18 0 0 1 36 0v18h-9V34a9 9 0 0 0-18 0v16z" }),
    s("path", { class: "fire", d: "M32 38c5 5 6 8 6 12H26c0-4 1-7 6-12z" }));
}
