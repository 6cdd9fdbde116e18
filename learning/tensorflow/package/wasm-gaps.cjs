// The kernels that the wasm backend lacks, run by the cpu backend and brought back, so that what trains on one backend trains on
// all: gradients of convolutions above all. Complex numbers stay out: wasm cannot hold them.

const complexKernels = new Set(['Complex', 'ComplexAbs', 'FFT', 'IFFT', 'RFFT', 'IRFFT', 'Real', 'Imag']);

/** Registers, for wasm, every real-valued kernel that cpu has and wasm has not. */
function fillWasmGaps(tf) {
  const present = new Set(tf.getKernelsForBackend('wasm').map(({ kernelName }) => kernelName));
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('cpu')) {
    if (present.has(kernelName) || complexKernels.has(kernelName)) continue;
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc: throughCpu(tf, kernelFunc) });
  }
}

function throughCpu(tf, kernelFunc) {
  return ({ inputs, backend: wasm, attrs }) => {
    const cpu = tf.findBackend('cpu');
    const copied = [];
    const onCpu = ({ dataId, shape, dtype }) => {
      const copy = cpu.makeTensorInfo(shape, dtype, wasm.readSync(dataId));
      copied.push(copy);
      return copy;
    };
    const onWasm = (output) => {
      const { dataId, shape, dtype } = output;
      const copy = { dataId: wasm.write(cpu.readSync(dataId), shape, dtype), shape, dtype };
      cpu.disposeData(dataId);
      return copy;
    };
    const outputs = kernelFunc({ inputs: mapInputs(inputs, onCpu), backend: cpu, attrs });
    const results = Array.isArray(outputs) ? outputs.map(onWasm) : onWasm(outputs);
    for (const copy of copied) cpu.disposeData(copy.dataId);
    return results;
  };
}

/** Inputs are an object by name or a list, and the optional ones may be absent. */
function mapInputs(inputs, change) {
  if (Array.isArray(inputs)) return inputs.map((input) => change(input));
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, input?.dataId === undefined ? input : change(input)]),
  );
}

module.exports = { fillWasmGaps };
