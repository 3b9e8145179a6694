// QR codes as a bridge between two rooms. What fits into one code stands there as
// it is, so that any reader can take it. What is larger is cut into frames that a
// person could join by hand:
//
//	rootkiln 2/6 1a2b3c4d plan.json
//	…the second piece of the text…
//
// The numbers are frame/frames and the CRC-32 of the whole text in UTF-8. It keeps
// pieces of two texts apart and is no proof of anything: that is the business of
// signatures and of the digests that both rooms compare.

import type { NamedFile } from "../../wasm/engine";

/** Bytes of text in one frame: about 105 modules on a side, which a phone's screen shows and a webcam reads. */
export const frameBytes = 800;

const frame = /^rootkiln (\d+)\/(\d+) ([0-9a-f]{8}) ([^\n]+)\n/;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** crc32 is that of zip and Ethernet (ISO 3309). */
export function crc32(data: Uint8Array): string {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (~crc >>> 0).toString(16).padStart(8, "0");
}

/** split cuts a file into the texts of its codes: one, or frames. */
export function split(name: string, text: string): string[] {
  if (bytes(text).length <= frameBytes) return [text];
  const pieces: string[] = [];
  let piece = "", room = frameBytes;
  for (const char of text) { // by characters, so that none is cut in two
    const length = bytes(char).length;
    if (length > room) { pieces.push(piece); piece = ""; room = frameBytes; }
    piece += char;
    room -= length;
  }
  pieces.push(piece);
  const check = crc32(bytes(text));
  return pieces.map((p, i) => `rootkiln ${i + 1}/${pieces.length} ${check} ${name}\n${p}`);
}

/** What a collector has so far of the file that it heard of last. */
export interface Collected { file?: NamedFile; name: string; have: number; of: number; fresh: boolean }

/** Collector joins the texts of codes, in any order, frames of several files mixed. */
export class Collector {
  private readonly parts = new Map<string, string[]>();
  private readonly seen = new Set<string>();

  add(text: string): Collected {
    const fresh = !this.seen.has(text);
    this.seen.add(text);
    const head = frame.exec(text);
    if (!head) {
      const name = nameOf(text);
      return { file: { name, data: bytes(text) }, name, have: 1, of: 1, fresh };
    }
    const [line, number, count, check, name] = head as unknown as [string, string, string, string, string];
    const of = Math.min(Number(count), 999), key = `${check} ${of}`;
    const parts = this.parts.get(key) ?? [];
    this.parts.set(key, parts);
    parts[Number(number) - 1] = text.slice(line.length);
    const have = parts.filter((p) => p !== undefined).length;
    const state: Collected = { name: safeName(name), have, of, fresh };
    if (have < of) return state;
    const data = bytes(parts.join(""));
    return crc32(data) === check ? { ...state, file: { name: state.name, data } } : state;
  }
}

/** safeName keeps a name from elsewhere to what a file may be called. */
const safeName = (name: string): string => name.replace(/[^\w.-]/g, "_").slice(0, 64);

/** nameOf names a text without a frame by what it is. */
function nameOf(text: string): string {
  if (text.includes("CERTIFICATE REQUEST-----")) return "request.csr";
  if (text.includes("BEGIN CERTIFICATE-----")) return "signed.crt";
  return text.trimStart().startsWith("{") ? "plan.json" : "text.txt";
}

export interface Pixels { data: Uint8ClampedArray; width: number; height: number }

/** decode reads a code in a picture; null where there is none. The decoder is loaded when it is first wanted. */
export async function decode(image: Pixels, milliseconds: number): Promise<string | null> {
  const { decodeQR } = await import("../vendor/qr/decode.js");
  try {
    return decodeQR(image, { timeLimit: milliseconds, effort: milliseconds > 100 ? 4 : 2 });
  } catch {
    return null; // the decoder throws for "no code here"
  }
}
