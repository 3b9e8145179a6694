// Numbers and terms in the language of the page. Codes of the engine may be newer
// than the page's words: such a code stands for itself.

import type { Place } from "../../wasm/engine";
import { lang, t } from "./i18n";

/** placeOf writes a place as the command line does: file#index, file#field. */
export const placeOf = (p: Place): string =>
  [p.file, p.field, p.index > 1 ? String(p.index) : ""].filter(Boolean).join("#");

/** number writes a count. */
export const number = (n: number): string => n.toLocaleString(lang() === "zh" ? "zh-CN" : "en");

/** plural writes a count with its noun, in the singular for one. */
export const plural = (key: string, n: number): string => t(n === 1 ? `${key}.one` : key, { n: number(n) });

/** term is the word for a code of the engine. */
export function term(family: string, code: string): string {
  try {
    return t(`${family}.${code}`);
  } catch {
    return code;
  }
}

/** roleName is what people call a role; empty for a certificate without one. */
export const roleName = (role: string | undefined): string => (role ? term("inspect.role", role) : "");
