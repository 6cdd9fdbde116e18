// XXH32 (Yann Collet's xxHash, 32 bits), the checksum of the tensor wire format: it runs near the speed of memory in 32-bit
// integer arithmetic, libraries for it exist in every language, and any one changed byte of an aligned word changes it. It
// finds damage, not intent: who must keep out an adversary signs the bytes.
// Source: the specification doc/xxhash_spec.md of github.com/Cyan4973/xxHash, "XXH32 Algorithm Description".

const prime1 = 0x9e3779b1;
const prime2 = 0x85ebca77;
const prime3 = 0xc2b2ae3d;
const prime4 = 0x27d4eb2f;
const prime5 = 0x165667b1;

/** XXH32 of `bytes`, an unsigned 32-bit integer. Where the bytes lie in memory makes no difference to the result. */
export function xxHash32(bytes: Uint8Array, seed = 0): number {
  const { length } = bytes;
  const stripes = length >>> 4;
  let hash = (seed + prime5) | 0;
  if (stripes > 0) {
    const isAligned = isLittleEndianMachine() && (bytes.byteOffset & 3) === 0;
    hash = isAligned
      ? hashWords(new Int32Array(bytes.buffer, bytes.byteOffset, stripes * 4), seed)
      : hashStripes(new DataView(bytes.buffer, bytes.byteOffset, stripes * 16), seed);
  }
  hash = (hash + length) | 0;
  let at = stripes * 16;
  for (; at + 4 <= length; at += 4) {
    const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    hash = (hash + Math.imul(word, prime3)) | 0;
    hash = Math.imul((hash << 17) | (hash >>> 15), prime4);
  }
  for (; at < length; at++) {
    hash = (hash + Math.imul(bytes[at], prime5)) | 0;
    hash = Math.imul((hash << 11) | (hash >>> 21), prime1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), prime2);
  hash = Math.imul(hash ^ (hash >>> 13), prime3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function isLittleEndianMachine(): boolean {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
}

function hashWords(words: Int32Array, seed: number): number {
  let a = (seed + prime1 + prime2) | 0;
  let b = (seed + prime2) | 0;
  let c = seed | 0;
  let d = (seed - prime1) | 0;
  for (let index = 0; index < words.length; index += 4) {
    a = (a + Math.imul(words[index], prime2)) | 0;
    a = Math.imul((a << 13) | (a >>> 19), prime1);
    b = (b + Math.imul(words[index + 1], prime2)) | 0;
    b = Math.imul((b << 13) | (b >>> 19), prime1);
    c = (c + Math.imul(words[index + 2], prime2)) | 0;
    c = Math.imul((c << 13) | (c >>> 19), prime1);
    d = (d + Math.imul(words[index + 3], prime2)) | 0;
    d = Math.imul((d << 13) | (d >>> 19), prime1);
  }
  return join(a, b, c, d);
}

function hashStripes(view: DataView, seed: number): number {
  let a = (seed + prime1 + prime2) | 0;
  let b = (seed + prime2) | 0;
  let c = seed | 0;
  let d = (seed - prime1) | 0;
  for (let at = 0; at < view.byteLength; at += 16) {
    a = (a + Math.imul(view.getInt32(at, true), prime2)) | 0;
    a = Math.imul((a << 13) | (a >>> 19), prime1);
    b = (b + Math.imul(view.getInt32(at + 4, true), prime2)) | 0;
    b = Math.imul((b << 13) | (b >>> 19), prime1);
    c = (c + Math.imul(view.getInt32(at + 8, true), prime2)) | 0;
    c = Math.imul((c << 13) | (c >>> 19), prime1);
    d = (d + Math.imul(view.getInt32(at + 12, true), prime2)) | 0;
    d = Math.imul((d << 13) | (d >>> 19), prime1);
  }
  return join(a, b, c, d);
}

function join(a: number, b: number, c: number, d: number): number {
  return (((a << 1) | (a >>> 31)) + ((b << 7) | (b >>> 25)) + ((c << 12) | (c >>> 20)) + ((d << 18) | (d >>> 14))) | 0;
}
