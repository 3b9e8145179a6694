// LZMA, in which the single file carries the engine: a third smaller than with what
// browsers unpack themselves (gzip), and these lines are all that it needs. Format:
// "LZMA specification" by Igor Pavlov, in the public domain; the names are its own.

type Bytes = Uint8Array<ArrayBuffer>;

/** Offsets of the adaptive probabilities, all in one array. */
const isMatch = 0, isRep = 192, isRepG0 = 204, isRepG1 = 216, isRepG2 = 228, isRep0Long = 240,
  posSlot = 432, posSpecial = 687, posAlign = 802, lenCoder = 818, repLenCoder = 1332, literal = 1846;

/** So many bytes between two pauses, in which the page can be drawn and used. */
const stride = 1 << 19;

/** pause lets the page go on. A timer would wait for a second in a tab behind others. */
const pause = (): Promise<void> => new Promise((resolve) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(0);
});

/** unpack takes a file with the header of the lzma program, which says its size.
 *  undefined: the file is damaged. */
export async function unpack(packed: Bytes, count: (bytes: number) => void): Promise<Bytes | undefined> {
  const header = new DataView(packed.buffer, packed.byteOffset, 18);
  const properties = header.getUint8(0);
  const lc = properties % 9, lp = Math.floor(properties / 9) % 5, pb = Math.floor(properties / 45);
  const out = new Uint8Array(header.getUint32(5, true));
  const probabilities = new Uint16Array(literal + (0x300 << (lc + lp))).fill(1024);
  const coder = new Uint32Array([0xffffffff, header.getUint32(14)]); // range, code
  let next = 18;

  const normalize = (): void => {
    if (coder[0]! >= 1 << 24) return;
    coder[0]! <<= 8;
    coder[1] = coder[1]! << 8 | packed[next++]!;
  };
  const bit = (at: number): number => {
    const p = probabilities[at]!, bound = (coder[0]! >>> 11) * p;
    const one = coder[1]! >= bound;
    if (one) {
      coder[0]! -= bound;
      coder[1]! -= bound;
      probabilities[at] = p - (p >> 5);
    } else {
      coder[0] = bound;
      probabilities[at] = p + ((2048 - p) >> 5);
    }
    normalize();
    return one ? 1 : 0;
  };
  const direct = (bits: number): number => {
    let value = 0;
    for (; bits > 0; bits--) {
      coder[0]! >>>= 1;
      const one = coder[1]! >= coder[0]!;
      if (one) coder[1]! -= coder[0]!;
      normalize();
      value = value << 1 | (one ? 1 : 0);
    }
    return value;
  };
  const tree = (at: number, bits: number): number => {
    let m = 1;
    for (let i = bits; i > 0; i--) m = m << 1 | bit(at + m);
    return m - (1 << bits);
  };
  const reverse = (at: number, bits: number): number => {
    let value = 0;
    for (let i = 0, m = 1; i < bits; i++) {
      const b = bit(at + m);
      m = m << 1 | b;
      value |= b << i;
    }
    return value;
  };
  const length = (at: number, posState: number): number => {
    if (!bit(at)) return 2 + tree(at + 2 + (posState << 3), 3);
    if (!bit(at + 1)) return 10 + tree(at + 130 + (posState << 3), 3);
    return 18 + tree(at + 258, 8);
  };
  const distance = (len: number): number => {
    const slot = tree(posSlot + (Math.min(len - 2, 3) << 6), 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1, base = (2 | slot & 1) << bits;
    if (slot < 14) return base + reverse(posSpecial + base - slot, bits);
    return base + (direct(bits - 4) << 4) + reverse(posAlign, 4);
  };

  let state = 0, rep0 = 0, rep1 = 0, rep2 = 0, rep3 = 0;
  for (let at = 0, drawn = stride; at < out.length;) {
    if (at >= drawn) {
      count(at);
      await pause();
      drawn += stride;
    }
    const posState = at & (1 << pb) - 1;
    let len = 1;
    if (!bit(isMatch + (state << 4) + posState)) {
      const before = at > 0 ? out[at - 1]! : 0;
      const coderOf = literal + 0x300 * (((at & (1 << lp) - 1) << lc) + (before >> 8 - lc));
      let symbol = 1;
      if (state >= 7) {
        // After a match: the byte that would have gone on with it is not the one.
        for (let match = out[at - rep0 - 1]!; symbol < 0x100; match <<= 1) {
          const expected = match >> 7 & 1, b = bit(coderOf + (1 + expected << 8) + symbol);
          symbol = symbol << 1 | b;
          if (b !== expected) break;
        }
      }
      while (symbol < 0x100) symbol = symbol << 1 | bit(coderOf + symbol);
      out[at++] = symbol;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    if (!bit(isRep + state)) {
      rep3 = rep2;
      rep2 = rep1;
      rep1 = rep0;
      len = length(lenCoder, posState);
      rep0 = distance(len);
      state = state < 7 ? 7 : 10;
    } else {
      const g0 = bit(isRepG0 + state);
      if (g0) {
        const last = rep0;
        if (!bit(isRepG1 + state)) {
          rep0 = rep1;
        } else {
          if (!bit(isRepG2 + state)) {
            rep0 = rep2;
          } else {
            rep0 = rep3;
            rep3 = rep2;
          }
          rep2 = rep1;
        }
        rep1 = last;
      }
      if (g0 || bit(isRep0Long + (state << 4) + posState)) {
        len = length(repLenCoder, posState);
        state = state < 7 ? 8 : 11;
      } else {
        state = state < 7 ? 9 : 11; // a single byte
      }
    }
    for (const end = Math.min(at + len, out.length); at < end; at++) out[at] = out[at - rep0 - 1]!;
  }
  // The coder comes to zero with the last byte, and after any damage it does not.
  return coder[1] === 0 && next === packed.length ? out : undefined;
}
