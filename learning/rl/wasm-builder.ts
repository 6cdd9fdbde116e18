// A WebAssembly module written down in TypeScript: code is the list of its bytes, and each operation here gives those of one
// instruction, so that nested calls read like the expression they compute. It knows the instructions that simd-kernels.ts needs
// and nothing more; a wrong program is refused by WebAssembly's own validation.
// Binary format: WebAssembly Core Specification 2.0, section 5.

export type WasmType = 'i32' | 'f32' | 'v128';
export type WasmCode = readonly number[];

/** A parameter or local variable, by its index. */
export interface WasmLocal {
  readonly index: number;
}

/** One exported function without results, that uses the imported memory. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: readonly WasmType[];
  readonly locals: readonly WasmType[];
  readonly body: WasmCode;
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

type WasmExports = Readonly<Record<string, (...values: number[]) => void>>;

/** The part of the engine's interface that is used here: the compiler's own library tells of it only together with a browser. */
interface WasmEngine {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Memory: new (size: { readonly initial: number }) => WasmMemory;
  readonly Instance: new (module: object, imports: object) => { readonly exports: WasmExports };
}

const engine = (globalThis as unknown as { readonly WebAssembly: WasmEngine }).WebAssembly;

/** Room for at least so many bytes, all 0. */
export function createMemory(bytes: number): WasmMemory {
  return new engine.Memory({ initial: Math.max(1, Math.ceil(bytes / 65_536)) });
}

/** The functions of a module as {@link buildModule} writes it, on that memory; throws if the module is not valid. */
export function instantiateModule(bytes: Uint8Array<ArrayBuffer>, memory: WasmMemory): WasmExports {
  return new engine.Instance(new engine.Module(bytes), { env: { memory } }).exports;
}

const typeBytes: Readonly<Record<WasmType, number>> = { i32: 0x7f, f32: 0x7d, v128: 0x7b };

/** The bytes of a module that imports `env.memory` and exports the functions. */
export function buildModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [0x60, ...vector(parameters.map((type) => [typeBytes[type]])), 0]);
  const memory = [...text('env'), ...text('memory'), 0x02, 0x00, 0x01];
  const exports = functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]);
  const bodies = functions.map(({ locals, body }) => {
    const code = [...vector(locals.map((type) => [1, typeBytes[type]])), ...body, 0x0b];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(2, vector([memory])),
    ...section(3, vector(functions.map((_, index) => unsigned(index)))),
    ...section(7, vector(exports)),
    ...section(10, vector(bodies)),
  ]);
}

/** A function whose body is written in terms of its parameters and local variables; the latter begin as 0. */
export function defineFunction<Parameter extends string, Local extends string>(
  name: string,
  parameters: Readonly<Record<Parameter, WasmType>>,
  locals: Readonly<Record<Local, WasmType>>,
  body: (variables: Readonly<Record<Parameter | Local, WasmLocal>>) => readonly WasmCode[],
): WasmFunction {
  const names = [...Object.keys(parameters), ...Object.keys(locals)];
  const variables = Object.fromEntries(names.map((variable, index) => [variable, { index }]));
  return {
    name,
    parameters: Object.values(parameters),
    locals: Object.values(locals),
    body: body(variables as Record<Parameter | Local, WasmLocal>).flat(),
  };
}

export const get = (local: WasmLocal): WasmCode => [0x20, ...unsigned(local.index)];
export const set = (local: WasmLocal, value: WasmCode): WasmCode => [...value, 0x21, ...unsigned(local.index)];
export const integer = (value: number): WasmCode => [0x41, ...signed(value)];
export const add = (left: WasmCode, right: WasmCode): WasmCode => [...left, ...right, 0x6a];
export const subtract = (left: WasmCode, right: WasmCode): WasmCode => [...left, ...right, 0x6b];
export const multiply = (left: WasmCode, right: WasmCode): WasmCode => [...left, ...right, 0x6c];
/** Of whole numbers with a sign. */
export const isLess = (left: WasmCode, right: WasmCode): WasmCode => [...left, ...right, 0x48];
export const isAtMost = (left: WasmCode, right: WasmCode): WasmCode => [...left, ...right, 0x4c];

/** Runs the body once, and again as long as the condition holds at its end. */
export const repeatWhile = (condition: WasmCode, ...body: readonly WasmCode[]): WasmCode => [
  ...[0x03, 0x40],
  ...body.flat(),
  ...condition,
  ...[0x0d, 0x00, 0x0b],
];
export const when = (condition: WasmCode, ...body: readonly WasmCode[]): WasmCode => [
  ...condition,
  ...[0x04, 0x40],
  ...body.flat(),
  0x0b,
];

/** Four float32 at the address, a multiple of 4, plus `offset` bytes. */
export const loadFour = (address: WasmCode, offset = 0): WasmCode => [
  ...address,
  ...simd(0x00),
  2,
  ...unsigned(offset),
];
/** One float32, four times. */
export const loadSplat = (address: WasmCode, offset = 0): WasmCode => [
  ...address,
  ...simd(0x09),
  2,
  ...unsigned(offset),
];
export const storeFour = (address: WasmCode, value: WasmCode, offset = 0): WasmCode => [
  ...address,
  ...value,
  ...simd(0x0b),
  2,
  ...unsigned(offset),
];
export const splat = (value: WasmCode): WasmCode => [...value, ...simd(0x13)];
export const zeros: WasmCode = [0xfd, 0x0c, ...Array.from({ length: 16 }, () => 0)];
export const addFour = (left: WasmCode, right: WasmCode): WasmCode => [...left, ...right, ...simd(0xe4)];
export const multiplyFour = (left: WasmCode, right: WasmCode): WasmCode => [...left, ...right, ...simd(0xe6)];
/** The right one where the left one is less than it. */
export const atLeastFour = (left: WasmCode, right: WasmCode): WasmCode => [...left, ...right, ...simd(0xeb)];
/** All bits where the left one is greater. */
export const isGreaterFour = (left: WasmCode, right: WasmCode): WasmCode => [...left, ...right, ...simd(0x44)];
export const bothFour = (left: WasmCode, right: WasmCode): WasmCode => [...left, ...right, ...simd(0x4e)];

function simd(operation: number): WasmCode {
  return [0xfd, ...unsigned(operation)];
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  const low = value & 0x7f;
  const rest = value >> 7;
  const isWhole = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
  return isWhole ? [low] : [low | 0x80, ...signed(rest)];
}

function vector(items: readonly WasmCode[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function text(value: string): number[] {
  return vector(Array.from(value, (character) => [character.charCodeAt(0)]));
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}
