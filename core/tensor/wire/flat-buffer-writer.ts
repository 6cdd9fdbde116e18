// Writing of FlatBuffers: tables, vectors and texts are made children first and laid out parents first, since offsets only lead
// forward. Every piece begins at a multiple of 8; nothing is shared or left out, so equal calls give equal bytes. Source:
// flatbuffers.dev, "Internals".

import { utf8Length, writeUtf8 } from './utf8.ts';

/** A table, vector or text that has been made: what offsets lead to. */
export type FlatPiece = number & { readonly piece: never };

/** A field of a table. */
export type FlatValue =
  | { readonly kind: 'u8' | 'i16' | 'i32' | 'size64'; readonly value: number }
  | { readonly kind: 'piece'; readonly value: FlatPiece }
  /** A struct of 64-bit sizes, in place. */
  | { readonly kind: 'sizes'; readonly value: readonly number[] };

interface Piece {
  readonly bytes: Uint8Array;
  /** Where offsets lead to, within the piece. */
  readonly inner: number;
  /** Places of offsets within the piece, and the pieces that they lead to. */
  readonly references: readonly (readonly [number, FlatPiece])[];
}

const fieldBytes = { u8: 1, i16: 2, i32: 4, piece: 4, size64: 8, sizes: 8 } as const;

export class FlatBufferWriter {
  private readonly pieces: Piece[] = [];

  /** Fields by their numbers; one that is not there takes its default. */
  table(fields: Readonly<Record<number, FlatValue>>): FlatPiece {
    const entries = Object.entries(fields).map(([index, field]) => ({ index: Number(index), field }));
    const count = entries.reduce((most, { index }) => Math.max(most, index + 1), 0);
    const inner = alignUp(4 + 2 * count, 8);
    let end = inner + 4;
    const placed = entries.map(({ index, field }) => {
      const at = alignUp(end, fieldBytes[field.kind]);
      end = at + (field.kind === 'sizes' ? 8 * field.value.length : fieldBytes[field.kind]);
      return { index, field, at };
    });
    const bytes = new Uint8Array(end);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 4 + 2 * count, true);
    view.setUint16(2, end - inner, true);
    view.setInt32(inner, inner, true);
    const references: [number, FlatPiece][] = [];
    for (const { index, field, at } of placed) {
      view.setUint16(4 + 2 * index, at - inner, true);
      if (field.kind === 'piece') references.push([at, field.value]);
      else if (field.kind === 'sizes') setSizes(view, at, field.value);
      else if (field.kind === 'size64') setSize64(view, at, field.value);
      else if (field.kind === 'i32') view.setInt32(at, field.value, true);
      else if (field.kind === 'i16') view.setInt16(at, field.value, true);
      else view.setUint8(at, field.value);
    }
    return this.add({ bytes, inner, references });
  }

  /** A vector of tables or texts. */
  vectorOf(pieces: readonly FlatPiece[]): FlatPiece {
    const bytes = new Uint8Array(8 + 4 * pieces.length);
    new DataView(bytes.buffer).setUint32(4, pieces.length, true);
    return this.add({ bytes, inner: 4, references: pieces.map((piece, index) => [8 + 4 * index, piece]) });
  }

  /** A vector of structs of 64-bit sizes, `perItem` each. */
  vectorOfSizes(values: readonly number[], perItem = 1): FlatPiece {
    const bytes = new Uint8Array(8 + 8 * values.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(4, values.length / perItem, true);
    setSizes(view, 8, values);
    return this.add({ bytes, inner: 4, references: [] });
  }

  /** `value` must have UTF-8. A zero follows it that its length does not count. */
  text(value: string): FlatPiece {
    const length = utf8Length(value);
    const bytes = new Uint8Array(8 + length + 1);
    new DataView(bytes.buffer).setUint32(4, length, true);
    writeUtf8(value, bytes, 8);
    return this.add({ bytes, inner: 4, references: [] });
  }

  /** The buffer whose root is the last table made. */
  finish(): Uint8Array {
    let end = 8;
    const starts = new Array<number>(this.pieces.length);
    for (let index = this.pieces.length - 1; index >= 0; index--) {
      starts[index] = end;
      end = alignUp(end + this.pieces[index]!.bytes.length, 8);
    }
    const bytes = new Uint8Array(end);
    const view = new DataView(bytes.buffer);
    this.pieces.forEach((piece, index) => {
      const start = starts[index]!;
      bytes.set(piece.bytes, start);
      for (const [place, target] of piece.references)
        view.setUint32(start + place, starts[target]! + this.pieces[target]!.inner - start - place, true);
    });
    const root = this.pieces.length - 1;
    view.setUint32(0, starts[root]! + this.pieces[root]!.inner, true);
    return bytes;
  }

  private add(piece: Piece): FlatPiece {
    this.pieces.push(piece);
    return (this.pieces.length - 1) as FlatPiece;
  }
}

/** The least multiple of `unit` from `value` on. */
export function alignUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

function setSizes(view: DataView, at: number, values: readonly number[]): void {
  for (let index = 0; index < values.length; index++) setSize64(view, at + 8 * index, values[index]);
}

function setSize64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}
