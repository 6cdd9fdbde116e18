// The load model against cases computed by hand, laws that it must obey, and published figures.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SiraError } from '../base/errors.ts';
import { valueOrThrow } from '../base/status.ts';
import {
  allGather,
  allReduce,
  arithmeticIntensity,
  attainableFlops,
  attention,
  type Conv2dShape,
  conv2d,
  convolvedExtent,
  copy,
  deviceNamed,
  devices,
  elementwise,
  embeddingLookup,
  keyValueBytesPerToken,
  layerNorm,
  matmul,
  type OperatorLoad,
  reduction,
  repeated,
  rooflineTime,
  softmax,
  totalLoad,
  transformerCacheBytesPerToken,
  transformerForward,
  transformerParameters,
  transformerShapes,
} from './load-model.ts';

const intensityOf = (load: OperatorLoad): number => arithmeticIntensity(load.flops, load.bytesRead + load.bytesWritten);
const small = fc.integer({ min: 1, max: 40 });

describe('operators by hand', () => {
  it('matmul: [2 × (3 × 4)] · [2 × (4 × 5)] in float32', () => {
    expect(matmul({ batch: 2, rows: 3, inner: 4, columns: 5 }, 'float32')).toMatchObject({
      flops: 240,
      bytesRead: 2 * (12 + 20) * 4,
      bytesWritten: 2 * 15 * 4,
      residentBytes: 0,
      activationBytes: 2 * (12 + 20 + 15) * 4,
    });
    const layer = matmul({ batch: 2, rows: 3, inner: 4, columns: 5, rightIsWeight: true, bias: true }, 'float16');
    expect(layer).toMatchObject({
      flops: 240 + 30,
      bytesRead: (24 + 20 + 5) * 2,
      bytesWritten: 60,
      residentBytes: 50,
      activationBytes: (24 + 30) * 2,
    });
  });

  it('conv2d: 3 → 8 channels, 5 × 6, kernel 3 × 3, stride 2, padding 1', () => {
    const load = conv2d(
      {
        batch: 2,
        channelsIn: 3,
        channelsOut: 8,
        height: 5,
        width: 6,
        kernelHeight: 3,
        kernelWidth: 3,
        stride: 2,
        padding: 1,
      },
      'float32',
    );
    // Output 3 × 3; each of 2 · 8 · 9 outputs sums 27 products.
    expect(load).toMatchObject({
      flops: 144 * 27 * 2,
      bytesRead: (180 + 216) * 4,
      bytesWritten: 144 * 4,
      residentBytes: 216 * 4,
    });
  });

  it('attention: 2 heads of 4, one cache head, 2 causal queries of 3 keys', () => {
    const shape = { batch: 1, heads: 2, keyValueHeads: 1, headWidth: 4, queries: 2, keys: 3, causal: true };
    // The first query sees 2 keys, the second 3: 5 pairs a head, 22 operations a pair.
    expect(attention({ ...shape, fused: true }, 'float16')).toMatchObject({
      flops: 10 * 22,
      bytesRead: (16 + 24) * 2,
      bytesWritten: 32,
      residentBytes: 48,
      activationBytes: 64,
    });
    expect(attention({ ...shape, fused: false }, 'float16')).toMatchObject({
      flops: 220,
      bytesRead: 80 + 48,
      bytesWritten: 32 + 48,
      activationBytes: 64 + 48,
    });
  });

  it('memory-bound operators', () => {
    expect(elementwise([[2, 3], [3]], 'float32')).toMatchObject({ flops: 6, bytesRead: 36, bytesWritten: 24 });
    expect(reduction([2, 3, 4], [0, 2], 'float64')).toMatchObject({ flops: 21, bytesRead: 192, bytesWritten: 24 });
    expect(reduction([2, 3], [], 'float64')).toMatchObject({ flops: 0, bytesWritten: 48 });
    expect(softmax([4, 8], 'float16')).toMatchObject({ flops: 160, bytesRead: 64, bytesWritten: 64 });
    expect(layerNorm([4, 8], 'float16')).toMatchObject({
      flops: 224,
      bytesRead: 64 + 32,
      bytesWritten: 64,
      residentBytes: 32,
    });
    expect(embeddingLookup({ tokens: 3, width: 8, rows: 100 }, 'float32')).toMatchObject({
      flops: 0,
      bytesRead: 24 + 96,
      bytesWritten: 96,
      residentBytes: 3200,
    });
    expect(copy([5, 5], 'int8')).toMatchObject({ flops: 0, bytesRead: 25, bytesWritten: 25, activationBytes: 50 });
  });

  it('a ring sends 2 (p − 1) / p of the bytes in 2 (p − 1) messages', () => {
    expect(allReduce(1000, 4, 'float32')).toMatchObject({ flops: 750, linkBytes: 6000, linkMessages: 6 });
    expect(allReduce(1000, 1, 'float32')).toMatchObject({ flops: 0, linkBytes: 0, linkMessages: 0 });
    expect(allGather(1000, 4, 'float32')).toMatchObject({ linkBytes: 3000, linkMessages: 3 });
  });

  it('refuses shapes that make no sense', () => {
    const image = { batch: 1, channelsIn: 4, channelsOut: 4, height: 8, width: 8, kernelHeight: 3, kernelWidth: 3 };
    for (const attempt of [
      () => matmul({ rows: 0, inner: 1, columns: 1 }, 'float32'),
      () => matmul({ rows: 1.5, inner: 1, columns: 1 }, 'float32'),
      () => matmul({ rows: 1, inner: 1, columns: 1 }, 'string'),
      () => conv2d({ ...image, groups: 3 }, 'float32'),
      () => conv2d({ ...image, kernelHeight: 9 }, 'float32'),
      () => conv2d({ ...image, padding: -1 }, 'float32'),
      () =>
        attention(
          { batch: 1, heads: 3, keyValueHeads: 2, headWidth: 4, queries: 1, keys: 1, causal: true, fused: true },
          'float32',
        ),
      () => attention({ batch: 1, heads: 2, headWidth: 4, queries: 3, keys: 2, causal: true, fused: true }, 'float32'),
      () => reduction([2], [1], 'float32'),
      () => allReduce(10, 0, 'float32'),
      () =>
        transformerForward(
          { ...transformerShapes['gpt-2'] },
          { batch: 1, newTokens: 1025, logits: 'last', dataType: 'float16' },
        ),
    ]) {
      expect(attempt).toThrow(SiraError);
    }
  });
});

describe('laws', () => {
  it('a 1 × 1 convolution is a matrix product; groups divide the work', () => {
    fc.assert(
      fc.property(small, small, small, small, (batch, channels, height, columns) => {
        const image = {
          batch,
          channelsIn: 4 * channels,
          channelsOut: 4 * columns,
          height,
          width: height,
          kernelHeight: 1,
          kernelWidth: 1,
        };
        const product = matmul(
          { rows: batch * height * height, inner: 4 * channels, columns: 4 * columns, rightIsWeight: true },
          'float32',
        );
        const { name: _left, ...convolved } = conv2d(image, 'float32');
        const { name: _right, ...multiplied } = product;
        expect(convolved).toEqual(multiplied);
        expect(conv2d({ ...image, groups: 4 }, 'float32').flops * 4).toBe(product.flops);
      }),
    );
  });

  it('a convolution has as many outputs along an axis as windows fit', () => {
    fc.assert(
      fc.property(
        small,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(3),
        fc.integer({ min: 1, max: 3 }),
        (extent, kernel, stride, padding, dilation) => {
          let windows = 0;
          for (let start = -padding; start + dilation * (kernel - 1) < extent + padding; start += stride) windows += 1;
          expect(Math.max(0, convolvedExtent(extent, kernel, stride, padding, dilation))).toBe(windows);
        },
      ),
    );
  });

  it('decoding a sequence token by token takes the FLOPs of its prefill, and reads the weights each time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(...Object.values(transformerShapes)),
        (length, batch, shape) => {
          const pass = { batch, logits: 'all', dataType: 'float16' } as const;
          const prefill = totalLoad(transformerForward(shape, { ...pass, newTokens: length }));
          let flops = 0;
          let bytesRead = 0;
          for (let token = 0; token < length; token++) {
            const step = totalLoad(transformerForward(shape, { ...pass, newTokens: 1, cachedTokens: token }));
            flops += step.flops;
            bytesRead += step.bytesRead;
          }
          expect(flops / prefill.flops).toBeCloseTo(1, 12);
          expect(bytesRead).toBeGreaterThanOrEqual(prefill.bytesRead);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('weights that stay resident are the parameters', () => {
    for (const shape of Object.values(transformerShapes)) {
      const operators = transformerForward(shape, { batch: 1, newTokens: 1, logits: 'last', dataType: 'float16' });
      const cache = transformerCacheBytesPerToken(shape, 'float16');
      expect(totalLoad(operators).residentBytes).toBe(2 * transformerParameters(shape) + cache);
    }
  });

  it('totals add up, and the largest activations count once', () => {
    const loads = [matmul({ rows: 8, inner: 8, columns: 8 }, 'float32'), repeated(copy([100], 'float32'), 3)];
    expect(totalLoad(loads)).toMatchObject({
      flops: 1024,
      bytesRead: 512 + 1200,
      bytesWritten: 256 + 1200,
      bytesMoved: 3168,
      peakMemoryBytes: 800,
    });
    expect(totalLoad([]).arithmeticIntensity).toBe(0);
  });

  it('time is never below either roof, grows as efficiency falls, and names what bounds it', () => {
    const a100 = deviceNamed('A100-80GB');
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.double({ min: 0.1, max: 1, noNaN: true }),
        (extent, efficiency) => {
          const load = matmul({ rows: extent, inner: 4096, columns: 4096 }, 'float16');
          const time = valueOrThrow(rooflineTime([load], a100));
          expect(time.micros).toBe(Math.max(time.computeMicros, time.memoryMicros));
          const isComputeBound = intensityOf(load) >= 312e12 / 2039e9;
          expect(time.bound).toBe(isComputeBound ? 'compute' : 'memory');
          expect(attainableFlops(load, a100)! * (time.micros / 1e6)).toBeCloseTo(
            load.flops,
            -Math.log10(load.flops) + 6,
          );
          const slower = valueOrThrow(
            rooflineTime([load], a100, { computeEfficiency: efficiency, memoryEfficiency: efficiency }),
          );
          expect(slower.micros / time.micros).toBeCloseTo(1 / efficiency, 9);
        },
      ),
    );
  });
});

describe('published figures', () => {
  it('arithmetic intensities of NVIDIA’s GPU performance and matrix multiplication guides', () => {
    // "Linear layer (4096 outputs, 1024 inputs, batch size 512): 315 FLOPS/B; batch size 1: 1 FLOPS/B; ReLU: 0.25".
    expect(intensityOf(matmul({ rows: 512, inner: 1024, columns: 4096, rightIsWeight: true }, 'float16'))).toBeCloseTo(
      315,
      0,
    );
    expect(intensityOf(matmul({ rows: 1, inner: 1024, columns: 4096, rightIsWeight: true }, 'float16'))).toBeCloseTo(
      1,
      1,
    );
    expect(intensityOf(elementwise([[1000]], 'float16'))).toBe(0.25);
    expect(intensityOf(layerNorm([64, 1024], 'float16'))).toBeLessThan(10);
    // "8192 × 128 × 8192: 124.1 FLOPS/B, below the 138.9 of V100, so memory limited; 8192 × 8192 × 8192: 2730".
    const narrow = matmul({ rows: 8192, inner: 8192, columns: 128 }, 'float16');
    const square = matmul({ rows: 8192, inner: 8192, columns: 8192 }, 'float16');
    expect(intensityOf(narrow)).toBeCloseTo(124.1, 1);
    expect(intensityOf(square)).toBeCloseTo(2730.7, 1);
    const v100 = deviceNamed('V100M16');
    expect(v100.peakFlops.float16! / v100.memoryBytesPerSecond!).toBeCloseTo(138.9, 1);
    expect(valueOrThrow(rooflineTime([narrow], v100)).bound).toBe('memory');
    expect(valueOrThrow(rooflineTime([square], v100)).bound).toBe('compute');
  });

  it('parameters of published checkpoints', () => {
    expect(transformerParameters(transformerShapes['gpt-2'])).toBe(124_439_808);
    expect(transformerParameters(transformerShapes['llama-2-7b'])).toBe(6_738_415_616);
    expect(transformerParameters(transformerShapes['llama-2-70b'])).toBe(68_976_648_192);
    expect(transformerParameters(transformerShapes['llama-3-8b'])).toBe(8_030_261_248);
    // Brown et al. 2020, table D.1: 174,600 million.
    expect(transformerParameters(transformerShapes['gpt-3-175b']) / 1e6).toBeCloseTo(174_600, -2);
  });

  it('GPT-3’s training compute, and Kaplan’s estimate of a forward pass', () => {
    const shape = transformerShapes['gpt-3-175b'];
    const pass = totalLoad(
      transformerForward(shape, { batch: 1, newTokens: 2048, logits: 'all', dataType: 'float16' }),
    );
    const flopsPerToken = pass.flops / 2048;
    // Brown et al. 2020, table D.1: 3.14e23 FLOPs for 300 billion tokens, attention over the context not counted.
    const attentionShare = 2 * shape.layers * 2048 * shape.width;
    expect((3 * (flopsPerToken - attentionShare) * 300e9) / 3.14e23).toBeCloseTo(1, 2);
    // Kaplan et al. 2020, equation 2.2: 2 N + 2 layers · context · width, N without embeddings; the logits besides.
    const estimate = 2 * 12 * shape.layers * shape.width ** 2 + attentionShare + 2 * shape.width * shape.vocabulary;
    expect(flopsPerToken / estimate).toBeCloseTo(1, 2);
  });

  it('key-value caches: OPT-13B takes 800 KB a token (Kwon et al. 2023), Llama 2 70B 320 KiB', () => {
    expect(40 * keyValueBytesPerToken(40, 128, 'float16')).toBe(800 * 1024);
    expect(transformerCacheBytesPerToken(transformerShapes['llama-2-70b'], 'float16')).toBe(320 * 1024);
    expect(transformerCacheBytesPerToken(transformerShapes['llama-2-7b'], 'float16')).toBe(512 * 1024);
  });

  it('ResNet-50 and ResNet-18 take 4.089 and 1.814 billion multiply-adds an image (torchvision)', () => {
    const convolution = (
      channelsIn: number,
      channelsOut: number,
      extent: number,
      kernel: number,
      stride = 1,
    ): number => {
      const shape: Conv2dShape = {
        batch: 1,
        channelsIn,
        channelsOut,
        height: extent,
        width: extent,
        kernelHeight: kernel,
        kernelWidth: kernel,
        stride,
        padding: (kernel - 1) / 2,
      };
      return conv2d(shape, 'float32').flops / 2;
    };
    const first = convolution(3, 64, 224, 7, 2);
    expect(first).toBe(118_013_952);
    const network = (blocks: number[], isBottleneck: boolean): number => {
      let total = first;
      let channels = 64;
      let extent = 56;
      blocks.forEach((count, stage) => {
        const inner = 64 * 2 ** stage;
        const outer = isBottleneck ? 4 * inner : inner;
        for (let block = 0; block < count; block++) {
          const stride = block === 0 && stage > 0 ? 2 : 1;
          if (isBottleneck) {
            total += convolution(channels, inner, extent, 1) + convolution(inner, inner, extent, 3, stride);
            total += convolution(inner, outer, extent / stride, 1);
          } else
            total += convolution(channels, inner, extent, 3, stride) + convolution(inner, inner, extent / stride, 3);
          if (channels !== outer || stride === 2) total += convolution(channels, outer, extent, 1, stride);
          channels = outer;
          extent /= stride;
        }
      });
      return total + matmul({ rows: 1, inner: channels, columns: 1000, rightIsWeight: true }, 'float32').flops / 2;
    };
    expect(network([3, 4, 6, 3], true) / 1e9).toBeCloseTo(4.089, 3);
    expect(network([2, 2, 2, 2], false) / 1e9).toBeCloseTo(1.814, 3);
  });

  it('generating with one sequence is bound by reading the weights', () => {
    const shape = transformerShapes['llama-2-7b'];
    const a100 = deviceNamed('A100-80GB');
    const decode = transformerForward(shape, {
      batch: 1,
      newTokens: 1,
      cachedTokens: 511,
      logits: 'last',
      dataType: 'float16',
    });
    const time = valueOrThrow(rooflineTime(decode, a100));
    expect(time.bound).toBe('memory');
    // All weights but the embedding table, and 512 tokens of cache, at 2,039 GB/s.
    const bytes = 2 * (transformerParameters(shape) - 32000 * 4096) + 512 * 512 * 1024;
    expect(time.micros / ((bytes / 2039e9) * 1e6)).toBeCloseTo(1, 2);
    const prefill = transformerForward(shape, { batch: 8, newTokens: 2048, logits: 'last', dataType: 'float16' });
    expect(valueOrThrow(rooflineTime(prefill, a100)).bound).toBe('compute');
    expect(totalLoad(prefill).peakMemoryBytes).toBeGreaterThan(2 * transformerParameters(shape));
  });

  it('says which figure is missing instead of guessing', () => {
    const load = [matmul({ rows: 8, inner: 8, columns: 8 }, 'bfloat16')];
    expect(rooflineTime(load, deviceNamed('G2'))).toMatchObject({
      ok: false,
      code: 'SIRA_TENSOR_INVALID',
      reason: expect.stringMatching(/G2 for bfloat16 .*openb/),
    });
    expect(rooflineTime(load, deviceNamed('V100M32'))).toMatchObject({ ok: false });
    expect(rooflineTime([copy([8], 'int8')], deviceNamed('G3'))).toMatchObject({
      ok: false,
      reason: expect.stringContaining('memory bandwidth'),
    });
    expect(rooflineTime(load, deviceNamed('H100'), { computeEfficiency: 0 })).toMatchObject({ ok: false });
    expect(() => deviceNamed('V100')).toThrow(SiraError);
    expect(attainableFlops(load[0]!, deviceNamed('T4'))).toBeUndefined();
    for (const model of ['P100', 'T4', 'V100M16', 'V100M32', 'A10', 'G2', 'G3'])
      expect(devices[model]?.name).toBe(model);
  });

  it('a ring all-reduce of 1 GB over 8 A100 takes 5.8 ms of link time, and its messages', () => {
    const load = allReduce(500e6, 8, 'float16');
    const time = valueOrThrow(rooflineTime([load], deviceNamed('A100-80GB'), { messageMicros: 5 }));
    expect(time.linkMicros).toBeCloseTo((1.75e9 / 300e9) * 1e6 + 70, 6);
    expect(time.bound).toBe('link');
  });
});
