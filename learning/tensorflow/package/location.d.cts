/** Version of TensorFlow.js that all backends have. */
export const version: string;
/** Raised when what is built, or how, changes. */
export const recipe: number;
/** Absolute path of the folder that provisioning fills. */
export function nativeHome(): string;
export interface NativeFiles {
  readonly binding: string;
  readonly library: string;
  readonly framework: string;
  readonly scripts: string;
  /** Empty files, by whose names tfjs-node asks for TensorFlow.js. */
  readonly standIns: readonly string[];
  readonly record: string;
}
/** The files of a build in `folder`. */
export function nativeFiles(folder: string): NativeFiles;
/** Why the native build in `home` cannot be loaded on this machine; empty if it can. */
export function whyNotNative(home?: string): string;
