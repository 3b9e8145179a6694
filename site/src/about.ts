// What the build wrote into the page: version, digests, and where things are.
// site/build/main.go writes it.

export interface About {
  version: string;
  /** Empty: not known. */
  commit: string;
  /** Of the commit, RFC 3339: a clock before it is wrong. Empty: not known. */
  time: string;
  /** Without an address the engine is in the page. */
  engine: { sha256: string; size: number; url?: string };
  /** Address of the sealed worker; without one its text is in the page. */
  worker?: string;
  /** The single file, which the hosted page offers. */
  file?: { url: string; sha256: string; size: number };
}

/** block reads a data block of the page. */
export function block(id: string): string {
  const text = document.getElementById(id)?.textContent;
  if (!text) throw new Error(`the page has no ${id}`);
  return text;
}

export const about = JSON.parse(block("about")) as About;
