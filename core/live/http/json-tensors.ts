// Tensors as JSON: name, shape, datatype of the Open Inference Protocol, and the elements in row-major order, nested or not.

import { SiraError } from '../../base/errors.ts';
import type { Element } from '../../tensor/element-codec.ts';
import { TensorView } from '../../tensor/tensor-view.ts';
import type { Tensors } from '../client/tensors.ts';
import { invalid, nameOfType, typeOf } from '../inference/inference-tensors.ts';

export interface JsonTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data: unknown;
}

export const rankMax = 32;

export function tensorsOfJson(inputs: readonly JsonTensor[]): Tensors {
  const tensors = new Map<string, TensorView>();
  for (const input of inputs) {
    if (tensors.has(input.name)) throw invalid(`two inputs are called "${input.name}"`);
    const dataType = typeOf(input.name, input.datatype, input.shape);
    const elements: Element[] = [];
    flatten(input.name, input.data, elements, 0);
    tensors.set(input.name, TensorView.from(dataType, input.shape, elements));
  }
  return Object.fromEntries(tensors);
}

/** Elements in order, however deep they are nested. */
function flatten(tensor: string, data: unknown, elements: Element[], depth: number): void {
  if (depth > rankMax) throw invalid(`the data of "${tensor}" is nested deeper than ${rankMax}`);
  if (Array.isArray(data)) for (const item of data) flatten(tensor, item, elements, depth + 1);
  else if (typeof data === 'number' || typeof data === 'string' || typeof data === 'boolean') elements.push(data);
  else throw invalid(`the data of "${tensor}" holds ${data === null ? 'null' : typeof data}`);
}

/** JSON knows whole numbers of any length, but neither infinity nor NaN. */
export function tensorText(tensor: string, view: TensorView): string {
  const elements = view.toElements().map((element) => {
    if (typeof element === 'number' && !Number.isFinite(element))
      throw new SiraError('SIRA_WORK_FAILED', `the output "${tensor}" holds ${element}, which JSON cannot say`);
    return typeof element === 'bigint' ? element.toString() : JSON.stringify(element);
  });
  const head = JSON.stringify({ name: tensor, shape: view.shape, datatype: nameOfType(tensor, view) });
  return `${head.slice(0, -1)},"data":[${elements.join(',')}]}`;
}
