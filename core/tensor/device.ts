// Accelerators by their published peaks: dense arithmetic without sparsity, boost clock, tensor cores where the type has
// them. A peak is a ceiling that no kernel reaches; roofline.ts takes efficiencies for what is reached. Sources: NVIDIA's data
// sheets and architecture white papers of the models named (P100 white paper WP-08019 and data sheet 2016; V100 data sheet
// 2020 and white paper WP-08608; Turing white paper WP-09183 for T4; A10, A100 and H100 data sheets 2021 to 2023, H100 with
// sparsity halved). G2 and G3 are models that the Alibaba openb trace keeps anonymous: their peaks are unknown.

import { SiraError } from '../base/errors.ts';
import { nearestName } from '../base/nearest-name.ts';
import type { DataType } from './data-type.ts';

export interface Device {
  readonly name: string;
  /** Operations a second by the type of the operands; a type that is missing has no published peak on it. */
  readonly peakFlops: Readonly<Partial<Record<DataType, number>>>;
  /** Bytes a second; `undefined` when unknown. */
  readonly memoryBytesPerSecond: number | undefined;
  readonly memoryBytes: number | undefined;
  /** Bytes a second that a device can send to its peers (one direction): NVLink, or else PCI Express. */
  readonly linkBytesPerSecond: number | undefined;
  /** What the figures are of, or why there are none. */
  readonly note: string;
}

const tera = 1e12;
const giga = 1e9;
const gibi = 1024 ** 3;

function device(
  name: string,
  peakTeraFlops: Partial<Record<DataType, number>>,
  memoryGigabytesPerSecond: number,
  memoryGibibytes: number,
  linkGigabytesPerSecond: number,
  note: string,
): Device {
  const peakFlops: Partial<Record<DataType, number>> = {};
  for (const [dataType, peak] of Object.entries(peakTeraFlops)) peakFlops[dataType as DataType] = peak * tera;
  return {
    name,
    peakFlops,
    memoryBytesPerSecond: memoryGigabytesPerSecond * giga,
    memoryBytes: memoryGibibytes * gibi,
    linkBytesPerSecond: linkGigabytesPerSecond * giga,
    note,
  };
}

function unknownDevice(name: string, note: string): Device {
  return {
    name,
    peakFlops: {},
    memoryBytesPerSecond: undefined,
    memoryBytes: undefined,
    linkBytesPerSecond: undefined,
    note,
  };
}

const volta = { float64: 7.8, float32: 15.7, float16: 125 };
const anonymous = 'anonymous in the openb trace; nothing is published about it';

export const devices: Readonly<Record<string, Device>> = {
  P100: device(
    'P100',
    { float64: 4.7, float32: 9.3, float16: 18.7 },
    732,
    16,
    16,
    'PCI Express 3.0, 16 GB; no tensor cores',
  ),
  V100M16: device('V100M16', volta, 900, 16, 150, 'SXM2, 16 GB, NVLink 2; float16 on tensor cores'),
  V100M32: device('V100M32', volta, 900, 32, 150, 'SXM2, 32 GB, NVLink 2; float16 on tensor cores'),
  T4: device(
    'T4',
    { float32: 8.1, float16: 65, int8: 130 },
    320,
    16,
    16,
    'PCI Express 3.0; float16 and int8 on tensor cores',
  ),
  A10: device('A10', { float32: 31.2, float16: 125, bfloat16: 125, int8: 250 }, 600, 24, 32, 'PCI Express 4.0'),
  'A100-40GB': device(
    'A100-40GB',
    { float64: 19.5, float32: 19.5, float16: 312, bfloat16: 312, int8: 624 },
    1555,
    40,
    300,
    'SXM4, NVLink 3; float64 on tensor cores',
  ),
  'A100-80GB': device(
    'A100-80GB',
    { float64: 19.5, float32: 19.5, float16: 312, bfloat16: 312, int8: 624 },
    2039,
    80,
    300,
    'SXM4, NVLink 3; float64 on tensor cores',
  ),
  H100: device(
    'H100',
    {
      float64: 67,
      float32: 67,
      float16: 989.4,
      bfloat16: 989.4,
      float8_e4m3: 1978.9,
      float8_e5m2: 1978.9,
      int8: 1978.9,
    },
    3350,
    80,
    450,
    'SXM5, NVLink 4; float64 on tensor cores',
  ),
  G2: unknownDevice('G2', anonymous),
  G3: unknownDevice('G3', anonymous),
};

/** The device of a name, or SIRA_TENSOR_INVALID with the one that may have been meant. */
export function deviceNamed(name: string): Device {
  if (Object.hasOwn(devices, name)) return devices[name]!;
  const near = nearestName(name, Object.keys(devices));
  throw new SiraError(
    'SIRA_TENSOR_INVALID',
    `no device "${name}"${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
}
