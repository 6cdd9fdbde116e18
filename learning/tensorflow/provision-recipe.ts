// What the native backend is made of: exact versions, digests and the compiler's arguments. The TensorFlow library comes in a
// Python wheel, because the place where tfjs-node itself looks for it cannot be reached from everywhere; the binding is tfjs-node's
// own source, compiled here.

import { join } from 'node:path';

/** The wheel with the libraries and headers; its CPython tag does not matter, for no Python code of it is run. */
export const wheel = {
  requirement: 'tensorflow-cpu==2.15.1',
  sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
  platform: 'manylinux2014_x86_64',
  pythonVersion: '3.11',
  megabytes: 207,
} as const;

/** Packages of the npm registry, unpacked and never installed: their install scripts are not run. */
export const packages = [
  {
    name: '@tensorflow/tfjs-node',
    version: '4.22.0',
    integrity: 'sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==',
    folder: 'tfjs-node',
  },
  {
    name: 'node-api-headers',
    version: '1.9.0',
    integrity: 'sha512-2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA==',
    folder: 'node-api-headers',
  },
] as const;

export const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;

/** Takes the libraries and the C headers out of the wheel: `extractScript WHEEL FOLDER`. Python has a zip reader, Node has none. */
export const extractScript = `
import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
folder = sys.argv[2]
for name in archive.namelist():
    header = name.startswith(('tensorflow/include/tensorflow/', 'tensorflow/include/tsl/')) and name.endswith('.h')
    if header or name in ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'):
        archive.extract(name, folder)
`;

/** Arguments of g++ that build the binding in `staging`, where wheel and packages lie unpacked. */
export function compilerArguments(staging: string, output: string): readonly string[] {
  const source = join(staging, 'tfjs-node', 'binding');
  return [
    ...['-std=c++17', '-O2', '-fPIC', '-shared'],
    ...['-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tfjs_binding', '-DBUILDING_NODE_EXTENSION'],
    ...['-I', join(staging, 'node-api-headers', 'include')],
    ...['-I', join(staging, 'wheel', 'tensorflow', 'include')],
    ...[join(source, 'tfjs_backend.cc'), join(source, 'tfjs_binding.cc')],
    ...['-L', join(staging, 'wheel', 'tensorflow')],
    ...libraries.map((library) => `-l:${library}`),
    // The three files find each other wherever they lie, without an environment variable.
    '-Wl,-rpath,$ORIGIN',
    ...['-o', output],
  ];
}
