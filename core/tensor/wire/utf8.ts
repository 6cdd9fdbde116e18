// UTF-8 to and from JavaScript strings, strict both ways (RFC 3629): no overlong forms, no surrogates, nothing beyond
// U+10FFFF, no byte order mark swallowed. A string with half a surrogate pair has no UTF-8; a replacement character would
// change it silently, so it is reported instead.

/** UTF-8 bytes of `text`, or −1 if it holds half a surrogate pair. */
export function utf8Length(text: string): number {
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) length += 1;
    else if (unit < 0x800) length += 2;
    else if (unit < 0xd800 || unit > 0xdfff) length += 3;
    else {
      const next = text.charCodeAt(index + 1);
      if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return -1;
      length += 4;
      index += 1;
    }
  }
  return length;
}

/** Writes `text`, which `utf8Length` has found sound, at byte `at`; gives the byte after it. */
export function writeUtf8(text: string, target: Uint8Array, at: number): number {
  let place = at;
  for (let index = 0; index < text.length; index++) {
    let code = text.charCodeAt(index);
    if (code < 0x80) {
      target[place++] = code;
      continue;
    }
    if (code < 0x800) target[place++] = 0xc0 | (code >> 6);
    else {
      if (code < 0xd800 || code > 0xdfff) target[place++] = 0xe0 | (code >> 12);
      else {
        code = 0x10000 + ((code & 0x3ff) << 10) + (text.charCodeAt(++index) & 0x3ff);
        target[place++] = 0xf0 | (code >> 18);
        target[place++] = 0x80 | ((code >> 12) & 0x3f);
      }
      target[place++] = 0x80 | ((code >> 6) & 0x3f);
    }
    target[place++] = 0x80 | (code & 0x3f);
  }
  return place;
}

/** Index of the first byte that is no UTF-8, or −1. */
export function malformedUtf8At(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at];
    if (lead < 0x80) {
      at += 1;
      continue;
    }
    const length = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length === 0 || at + length > bytes.length) return at;
    const second = bytes[at + 1];
    // The second byte alone tells overlong forms, surrogates and what lies beyond U+10FFFF.
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (second < least || second > most) return at;
    for (let index = 2; index < length; index++) if ((bytes[at + index] & 0xc0) !== 0x80) return at;
    at += length;
  }
  return -1;
}

const unitsAtOnce = 4096;

/** The text of bytes that `malformedUtf8At` has found sound. */
export function readUtf8(bytes: Uint8Array): string {
  let text = '';
  let units: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at];
    if (lead < 0x80) {
      units.push(lead);
      at += 1;
    } else if (lead < 0xe0) {
      units.push(((lead & 0x1f) << 6) | (bytes[at + 1] & 0x3f));
      at += 2;
    } else if (lead < 0xf0) {
      units.push(((lead & 0x0f) << 12) | ((bytes[at + 1] & 0x3f) << 6) | (bytes[at + 2] & 0x3f));
      at += 3;
    } else {
      const high = ((lead & 0x07) << 18) | ((bytes[at + 1] & 0x3f) << 12);
      const code = (high | ((bytes[at + 2] & 0x3f) << 6) | (bytes[at + 3] & 0x3f)) - 0x10000;
      units.push(0xd800 | (code >> 10), 0xdc00 | (code & 0x3ff));
      at += 4;
    }
    if (units.length >= unitsAtOnce) {
      text += String.fromCharCode(...units);
      units = [];
    }
  }
  return text + String.fromCharCode(...units);
}

/** Orders texts by their UTF-8 bytes, which is by code point: negative, zero or positive. */
export function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a === b) continue;
    // Surrogates stand for code points above all that are one unit, so they sort behind U+E000…U+FFFF.
    return (isSurrogate(a) ? a + 0x10000 : a) - (isSurrogate(b) ? b + 0x10000 : b);
  }
  return left.length - right.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
