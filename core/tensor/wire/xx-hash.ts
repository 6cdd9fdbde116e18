// XXH32 (Yann Collet's xxHash, 32 bits), the checksum of the tensor wire format: it runs near the speed of memory in 32-bit
// integer arithmetic, libraries for it exist in every language, and any one changed byte of an aligned word changes it. It
// finds damage, not intent: who must keep out an adversary signs the bytes.
// Source: the specification doc/xxhash_spec.md of github.com/Cyan4973/xxHash, "XXH32 Algorithm Description".

const prime1 = 0x9e3779b1;
const prime2 = 0x85ebca77;
const prime3 = 0xc2b2ae3d;
const prime4 = 0x27d4eb2f;
const prime5 = 0x165667b1;

/** XXH32 of bytes start…end, an unsigned 32-bit integer. Where they lie in memory makes no difference to the result. */
export function xxHash32(bytes: Uint8Array, seed = 0, start = 0, end = bytes.length): number {
  const length = end - start;
  let at = start + (length & ~15);
  let hash = at > start ? hashStripes(bytes, start, at, seed) : (seed + prime5) | 0;
  hash = (hash + length) | 0;
  for (; at + 4 <= end; at += 4) {
    hash = (hash + Math.imul(word(bytes, at), prime3)) | 0;
    hash = Math.imul((hash << 17) | (hash >>> 15), prime4);
  }
  for (; at < end; at++) {
    hash = (hash + Math.imul(bytes[at], prime5)) | 0;
    hash = Math.imul((hash << 11) | (hash >>> 21), prime1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), prime2);
  hash = Math.imul(hash ^ (hash >>> 13), prime3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Below this many bytes, another window onto them costs more than it saves. */
const windowBytesMin = 512;

/** The four lanes over bytes start…end, a multiple of 16. Which way they are read does not change the result. */
function hashStripes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  const length = end - start;
  if (length < windowBytesMin) return hashBytes(bytes, start, end, seed);
  const offset = bytes.byteOffset + start;
  const isAligned = isLittleEndianMachine() && (offset & 3) === 0;
  if (isAligned) return hashWords(new Int32Array(bytes.buffer, offset, length / 4), seed);
  return hashView(new DataView(bytes.buffer, offset, length), seed);
}

function isLittleEndianMachine(): boolean {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
}

function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let a = (seed + prime1 + prime2) | 0;
  let b = (seed + prime2) | 0;
  let c = seed | 0;
  let d = (seed - prime1) | 0;
  for (let at = start; at < end; at += 16) {
    a = round(a, word(bytes, at));
    b = round(b, word(bytes, at + 4));
    c = round(c, word(bytes, at + 8));
    d = round(d, word(bytes, at + 12));
  }
  return join(a, b, c, d);
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function round(lane: number, input: number): number {
  const sum = (lane + Math.imul(input, prime2)) | 0;
  return Math.imul((sum << 13) | (sum >>> 19), prime1);
}

function hashWords(words: Int32Array, seed: number): number {
  let a = (seed + prime1 + prime2) | 0;
  let b = (seed + prime2) | 0;
  let c = seed | 0;
  let d = (seed - prime1) | 0;
  for (let index = 0; index < words.length; index += 4) {
    a = round(a, words[index]);
    b = round(b, words[index + 1]);
    c = round(c, words[index + 2]);
    d = round(d, words[index + 3]);
  }
  return join(a, b, c, d);
}

function hashView(view: DataView, seed: number): number {
  let a = (seed + prime1 + prime2) | 0;
  let b = (seed + prime2) | 0;
  let c = seed | 0;
  let d = (seed - prime1) | 0;
  for (let at = 0; at < view.byteLength; at += 16) {
    a = round(a, view.getInt32(at, true));
    b = round(b, view.getInt32(at + 4, true));
    c = round(c, view.getInt32(at + 8, true));
    d = round(d, view.getInt32(at + 12, true));
  }
  return join(a, b, c, d);
}

function join(a: number, b: number, c: number, d: number): number {
  return (((a << 1) | (a >>> 31)) + ((b << 7) | (b >>> 25)) + ((c << 12) | (c >>> 20)) + ((d << 18) | (d >>> 14))) | 0;
}
