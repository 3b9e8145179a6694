// The fragment of the address holds which tab is open, and language and theme where
// they are not the browser's own: #inspect,zh,dark. That is all the page ever puts
// there; it stores nothing elsewhere, so a bookmark is how a choice is kept.

import type { Lang } from "../../wasm/engine";
import { preferred } from "./i18n";

export const tabs = ["make", "inspect"] as const;
export const themes = ["auto", "light", "dark"] as const;
export type Tab = (typeof tabs)[number];
export type Theme = (typeof themes)[number];

export interface Place { tab: Tab; lang: Lang; theme: Theme }

/** read takes the known words of the fragment; what it does not know it leaves out. */
export function read(fragment = location.hash): Place {
  const words = fragment.slice(1).split(",");
  const known = <T extends string>(all: readonly T[], otherwise: T): T => all.find((w) => words.includes(w)) ?? otherwise;
  return { tab: known(tabs, "make"), lang: known<Lang>(["en", "zh"], preferred), theme: known(themes, "auto") };
}

/** write makes no entry of the history: going back leaves the page. */
export function write({ tab, lang, theme }: Place): void {
  const words: string[] = [tab];
  if (lang !== preferred) words.push(lang);
  if (theme !== "auto") words.push(theme);
  history.replaceState(null, "", `#${words.join(",")}`);
}
