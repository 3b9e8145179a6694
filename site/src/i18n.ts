// The two languages of the page. site/build/words_test.go holds their keys and
// gaps against each other and against what the page asks for.

import type { Lang } from "../../wasm/engine";

type Words = Record<string, string>;

/** Each language is a file of its own: the page begins with one of them. */
const files: Record<Lang, () => Promise<{ words: Words }>> = {
  en: () => import("./words/en"),
  zh: () => import("./words/zh"),
};

const spoken: Partial<Record<Lang, Words>> = {};

/** The first of the browser's languages that the page speaks. */
export const preferred: Lang = navigator.languages.map((l) => l.slice(0, 2).toLowerCase()).find((l): l is Lang => l in files) ?? "en";

let current: Lang = preferred;

/** lang is the language of the page. */
export const lang = (): Lang => current;

/** learn gets the words of a language; only then can it be set. */
export async function learn(next: Lang): Promise<void> {
  spoken[next] ??= (await files[next]()).words;
}

/** setLang changes the language; who calls mounts the views anew. */
export function setLang(next: Lang): void {
  current = next;
  document.documentElement.lang = next === "zh" ? "zh-Hans" : "en";
}

/** t is a sentence with its {names} filled in. */
export function t(key: string, args: Record<string, string | number> = {}): string {
  const text = spoken[current]?.[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (gap, name: string) => name in args ? String(args[name]) : gap);
}
