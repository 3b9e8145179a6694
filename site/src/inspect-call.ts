// Calls about dropped files: every set of files is a range of one call, and a set
// whose archive or key is locked asks for its passphrase.

import type { FileSet, Method, Methods, NamedFile } from "../../wasm/engine";
import { failureOf, type EngineClient } from "./engine";
import { lang, t } from "./i18n";
import { ask } from "./ui";
import type { Gathered } from "./inspect-files";

/** Drop is what came in together: one cluster, one node, one person's keys. */
export interface Drop extends Gathered {
  label: string;
  /** Of an age archive or of encrypted keys, or the token of bootstrap data; in memory until it is forgotten. */
  passphrase?: string;
}

export interface Options { progress?: (step: string) => void; signal?: AbortSignal }

export interface Answer<T> { value: T; files: NamedFile[]; lang: string }

/** Params gets the sets in the order of the drops. */
type Params = (sets: FileSet[]) => Record<string, unknown>;

/** query runs a method over drops. A passphrase is asked for as often as it is
 *  wrong; giving up throws the engine's refusal. */
export async function query<M extends Method>(engine: EngineClient, method: M, drops: Drop[], params: Params, o: Options = {}): Promise<Answer<Methods[M]["value"]>> {
  for (;;) {
    const { sets, files } = pack(drops);
    const spoken = lang();
    try {
      const { value, files: out } = await engine.call(method, { lang: spoken, now: new Date().toISOString(), ...params(sets) },
        files, { progress: o.progress, signal: o.signal });
      return { value, files: out, lang: spoken };
    } catch (error) {
      const { kind, message, file = "" } = failureOf(error);
      const token = kind === "token";
      const drop = token || kind === "passphrase" ? owner(drops, file) : undefined;
      if (!drop) throw error;
      const name = file || drop.label;
      const answer = await ask(t(token ? "inspect.tokenWanted" : "inspect.passphraseTitle"), t(token ? "inspect.tokenText" : "inspect.passphraseText", { file: name }),
        { label: t(token ? "inspect.serverToken" : "inspect.passphrase"), wrong: drop.passphrase ? message : "" });
      if (answer === null) { delete drop.passphrase; throw error; }
      drop.passphrase = answer;
    }
  }
}

/** pack lines up copies of all files: the engine clears what it is given. */
function pack(drops: Drop[]): { sets: FileSet[]; files: NamedFile[] } {
  const files: NamedFile[] = [], sets: FileSet[] = [];
  for (const d of drops) {
    sets.push({ label: d.label, first: files.length, count: d.files.length, ...(d.passphrase ? { passphrase: d.passphrase } : {}) });
    files.push(...d.files.map((f) => ({ ...f, data: f.data.slice() })));
  }
  return { sets, files };
}

/** owner finds the drop whose file wants a passphrase; files inside archives are
 *  named by their path there. */
function owner(drops: Drop[], file: string): Drop | undefined {
  const name = file.split("#")[0]!;
  return drops.find((d) => d.files.some((f) => f.name === name)) ?? drops.find((d) => !d.passphrase) ?? drops[0];
}
