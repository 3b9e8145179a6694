// Calls of the Make tab: every one speaks the page's language, carries the page's
// clock, hands over copies of its files (the engine clears what it is given), and
// asks for a passphrase where the engine wants one.

import type { Method, Methods, NamedFile } from "../../wasm/engine";
import { failureOf, type EngineClient } from "./engine";
import { lang, t } from "./i18n";
import { ask } from "./ui";

export interface CallOptions {
  progress?: (step: string) => void;
  signal?: AbortSignal;
  /** Never asks: what is missing is an error of the call. */
  quiet?: boolean;
}

type Params = Record<string, unknown>;

export interface Answer<T> { value: T; files: NamedFile[] }

/** Passphrases of encrypted input keys by file name; in memory until they are forgotten. */
export const passphrases = new Map<string, string>();

/** call runs a method that takes `passphrases`, and asks for one as often as it is wrong. */
export async function call<M extends Method>(engine: EngineClient, method: M, params: Params | (() => Params), files: NamedFile[] = [], o: CallOptions = {}): Promise<Answer<Methods[M]["value"]>> {
  for (;;) {
    try {
      return await bare(engine, method, { ...typeof params === "function" ? params() : params, passphrases: Object.fromEntries(passphrases) }, files, o);
    } catch (error) {
      const { kind, file, message } = failureOf(error);
      if (kind !== "passphrase" || !file || o.quiet) throw error;
      const answer = await ask(t("make.passphraseTitle"), t("make.passphraseText", { file }),
        { label: t("make.passphrase"), wrong: message });
      if (answer === null) { passphrases.delete(file); throw error; }
      passphrases.set(file, answer);
    }
  }
}

/** bare is a call as it is, with what every call has. */
export function bare<M extends Method>(engine: EngineClient, method: M, params: Params, files: NamedFile[] = [], o: CallOptions = {}): Promise<Answer<Methods[M]["value"]>> {
  const copies = files.map((f) => ({ ...f, data: f.data.slice() }));
  return engine.call(method, { lang: lang(), now: new Date().toISOString(), ...params }, copies, { ...(o.progress && { progress: o.progress }), ...(o.signal && { signal: o.signal }) });
}
