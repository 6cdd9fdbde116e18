// Bytes as text that JSON carries (RFC 4648, section 4, with padding). Only the canonical form is read, so that equal bytes are
// equal texts.

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const word =
      ((bytes[at] as number) << 16) |
      ((left > 1 ? (bytes[at + 1] as number) : 0) << 8) |
      (left > 2 ? (bytes[at + 2] as number) : 0);
    text += alphabet[word >>> 18] as string;
    text += alphabet[(word >>> 12) & 63] as string;
    text += left > 1 ? alphabet[(word >>> 6) & 63] : '=';
    text += left > 2 ? alphabet[word & 63] : '=';
  }
  return text;
}

/** Undefined if `text` is not canonical base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let word = 0;
  let at = 0;
  for (let index = 0; index < text.length; index++) {
    const value = index >= text.length - padding ? 0 : alphabet.indexOf(text[index] as string);
    if (value < 0) return undefined;
    word = (word << 6) | value;
    if (index % 4 !== 3) continue;
    for (let shift = 16; shift >= 0; shift -= 8) {
      const byte = (word >>> shift) & 255;
      if (at < bytes.length) bytes[at++] = byte;
      else if (byte !== 0) return undefined;
    }
    word = 0;
  }
  return bytes;
}
