import { describe, expect, it } from 'vitest';
import { RandomStream } from '../base/random.ts';
import { binOf, countsOf, distributionOf, populationStability } from './input-distribution.ts';

const random = new RandomStream(1, 'distribution test');
const draw = (count: number, of = () => random.nextFloat()): number[] => Array.from({ length: count }, of);

describe('the distribution of an input', () => {
  it('has tenths of what was seen, and bins for what never was', () => {
    const distribution = distributionOf(Array.from({ length: 100 }, (_, index) => index));
    expect(distribution.edges.slice(0, 10)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(distribution.counts).toEqual([0, ...new Array(10).fill(10), 0]);
    expect([-1, 0, 9.9, 10, 99, 100].map((value) => binOf(distribution.edges, value))).toEqual([0, 1, 1, 2, 10, 11]);
  });

  it('gives what repeats a bin of its own', () => {
    const { edges, counts } = distributionOf([3, 3, 3, 3]);
    expect(edges).toHaveLength(2);
    expect(counts).toEqual([0, 4, 0]);
    const mostly = distributionOf([...new Array(9).fill(0), 1]);
    expect([-1, 0, 0.5, 1, 2].map((value) => binOf(mostly.edges, value))).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('the population stability index', () => {
  it('is what the formula says, where every bin is full', () => {
    const reference = { edges: [0, 1], counts: [1e9, 2e9, 1e9] };
    const [seen, expected] = [
      [0.2, 0.3, 0.5],
      [0.25, 0.5, 0.25],
    ] as [number[], number[]];
    const exact = seen.reduce((sum, q, bin) => sum + (q - expected[bin]!) * Math.log(q / expected[bin]!), 0);
    expect(
      populationStability(
        reference,
        seen.map((share) => share * 1e9),
      ),
    ).toBeCloseTo(exact, 6);
  });

  it('is small of the same, and rarely above a quarter in windows of a hundred', () => {
    const reference = distributionOf(draw(2000));
    const indices = draw(2000, () => populationStability(reference, countsOf(reference, draw(100))));
    const mean = indices.reduce((sum, value) => sum + value, 0) / indices.length;
    // χ² of 9 degrees of freedom has mean 9; what the window borrows from the reference makes it a little less.
    expect(mean).toBeGreaterThan(0.06);
    expect(mean).toBeLessThan(0.11);
    expect(indices.filter((value) => value > 0.25).length / indices.length).toBeLessThan(0.02);
  });

  it('is large of what shifts either way, or was never seen', () => {
    const reference = distributionOf(draw(2000));
    for (const shift of [-0.3, 0.3, 5])
      expect(
        populationStability(
          reference,
          countsOf(
            reference,
            draw(100).map((value) => value + shift),
          ),
        ),
      ).toBeGreaterThan(0.5);
    const constant = distributionOf(draw(100, () => 3));
    for (const value of [2, 4])
      expect(
        populationStability(
          constant,
          countsOf(
            constant,
            draw(100, () => value),
          ),
        ),
      ).toBeGreaterThan(1);
    expect(
      populationStability(
        constant,
        countsOf(
          constant,
          draw(100, () => 3),
        ),
      ),
    ).toBeLessThan(0.05);
  });
});
