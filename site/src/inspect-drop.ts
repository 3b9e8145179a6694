// The place where files are dropped: one line or a picture, with its own states
// for reading, too much, nothing of use, and cancelled.

import type { NamedFile } from "../../wasm/engine";
import { t } from "./i18n";
import type { Drop } from "./inspect-call";
import { sourcesOf, type Source } from "./drop";
import { Beyond, bounds, gather, labelOf, type Gathered, type LeftOut } from "./inspect-files";
import { number, plural } from "./inspect-words";
import { announce, button, h, replace, size, table, type Child } from "./ui";

export interface ZoneOptions {
  label: string;
  hint?: Child;
  small?: boolean;
  /** A picture above the buttons. */
  picture?: Child;
  ondrop: (drop: Drop) => void;
}

export interface Zone {
  el: HTMLElement;
  /** Reads sources that came by another way, as a drop elsewhere on the page. */
  take: (sources: Source[]) => void;
}

/** dropOf makes a drop of what was gathered. */
export const dropOf = (g: Gathered): Drop => ({ ...g, label: labelOf(g.files) });

/** dropFrom makes a drop of files that are in memory already. */
export const dropFrom = (files: NamedFile[], label = labelOf(files)): Drop =>
  ({ files, left: [], passed: 0, seen: files.length, label });

/** zone takes files by dropping, by choosing, and by the keyboard. */
export function zone(o: ZoneOptions): Zone {
  const state = h("div", { class: "drop-state" });
  let running: AbortController | undefined;

  const take = async (sources: Source[]): Promise<void> => {
    if (sources.length === 0) return;
    running?.abort();
    const control = running = new AbortController();
    const text = h("span", { role: "status" }, t("inspect.looking"));
    replace(state, h("div", { class: "row" }, h("progress", { "aria-label": t("inspect.reading") }), text,
      button(t("ui.cancel"), () => control.abort(new DOMException("", "AbortError")))));
    try {
      const gathered = await gather(sources, {
        signal: control.signal,
        progress: (seen, taken) => { text.textContent = t("inspect.lookingAt", { seen: number(seen), taken: number(taken) }); },
      });
      if (control !== running) return;
      replace(state);
      if (gathered.files.length === 0) return trouble(t("inspect.nothing"), t("inspect.nothingHelp"), gathered);
      o.ondrop(dropOf(gathered));
    } catch (error) {
      if (control !== running) return;
      if (control.signal.aborted) {
        replace(state, h("p", { class: "hint", role: "status" }, t("inspect.cancelled")));
      } else if (error instanceof Beyond) {
        const amount = error.what === "total" ? size(error.amount) : number(error.amount);
        const most = error.what === "total" ? size(bounds.total) : number(bounds[error.what]);
        trouble(t(`inspect.beyond.${error.what}`, { amount, most }), t("inspect.beyondHelp"));
      } else {
        trouble(t("ui.unreadable"), "");
      }
    } finally {
      if (control === running) running = undefined;
    }
  };

  const trouble = (what: string, help: string, { left, passed }: Pick<Gathered, "left" | "passed"> = { left: [], passed: 0 }): void => {
    replace(state, h("div", { class: "box error stack", role: "alert" }, h("b", null, what), help && h("p", null, help), leftOut(left, passed, left.length <= 12)));
  };

  const picker = (folder: boolean): HTMLInputElement => h("input", {
    type: "file", class: "visually-hidden", tabindex: -1, "aria-hidden": true, "aria-label": o.label,
    multiple: true, webkitdirectory: folder,
    onchange(event: Event) {
      const input = event.target as HTMLInputElement;
      const files = [...input.files ?? []];
      input.value = "";
      void take(files);
    },
  });
  const some = picker(false), dir = picker(true);
  const el = h("div", {
    class: o.small ? "drop small inspect-drop" : "drop inspect-drop",
    ondragover(event: DragEvent) { event.preventDefault(); event.stopPropagation(); el.classList.add("over"); },
    ondragleave() { el.classList.remove("over"); },
    ondrop(event: DragEvent) {
      event.preventDefault();
      event.stopPropagation();
      el.classList.remove("over");
      if (event.dataTransfer) void take(sourcesOf(event.dataTransfer));
    },
  },
    o.picture,
    h("div", { class: "row" }, button(o.label, () => some.click(), o.small ? "quiet" : "primary"), some,
      button(t("ui.chooseFolder"), () => dir.click(), o.small ? "quiet" : ""), dir),
    o.hint && h("div", { class: "hint" }, o.hint), state);
  return { el, take: (sources) => void take(sources) };
}

/** How many rows of what was left out are shown. */
const shown = 100;

/** leftOut lists what of a drop was not read and why; null where all was. */
export function leftOut(left: LeftOut[], passed: number, open = false): Child {
  const named = left.filter((l) => l.reason !== "ending");
  const rows = [...named, ...left.filter((l) => l.reason === "ending")].slice(0, shown);
  const total = named.length + Math.max(passed, left.length - named.length);
  if (total === 0) return null;
  const title = plural("inspect.leftOut", total);
  return h("details", { class: "more", open }, h("summary", null, title), table({
    caption: title, head: [t("inspect.file"), t("inspect.reason")],
    rows: rows.map((l) => ({ cells: [h("code", { translate: "no" }, l.name),
      l.reason === "size" ? t("inspect.left.size", { size: size(l.size) }) : t(`inspect.left.${l.reason}`)] })),
  }), total > rows.length && h("p", { class: "hint" }, t("inspect.andMore", { n: number(total - rows.length) })));
}

/** unread are the names of files that the browser would not give. */
export const unread = (drop: Drop): LeftOut[] => drop.left.filter((l) => l.reason === "unreadable" || l.reason === "size");

/** saySoon announces that something is being worked on, unless it is done at once. */
export function saySoon(text: string): () => void {
  const timer = setTimeout(() => announce(text), 700);
  return () => clearTimeout(timer);
}
