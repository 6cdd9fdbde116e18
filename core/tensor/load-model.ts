// The tensor load model: from shapes and operators to FLOPs, bytes, memory and, on a device, time. What others may use of it.

export { type AttentionShape, attendedPairs, attention, keyValueBytesPerToken } from './attention-operator.ts';
export { allGather, allReduce } from './collective-operators.ts';
export { type Conv2dShape, conv2d, convolvedExtent, type MatmulShape, matmul } from './contraction-operators.ts';
export { type Device, deviceNamed, devices } from './device.ts';
export { copy, elementwise, embeddingLookup, layerNorm, reduction, rmsNorm, softmax } from './memory-operators.ts';
export {
  arithmeticIntensity,
  type OperatorLoad,
  operatorLoad,
  repeated,
  type TotalLoad,
  totalLoad,
} from './operator-load.ts';
export { attainableFlops, type RooflineOptions, type RooflineTime, rooflineTime } from './roofline.ts';
export {
  type ForwardPass,
  type TransformerShape,
  transformerCacheBytesPerToken,
  transformerForward,
  transformerParameters,
  transformerShapes,
} from './transformer-load.ts';
