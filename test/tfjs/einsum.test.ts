// tf.einsum and its gradients against loops over all labels in float64, for random equations.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Tensor } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { float32, gamma } from '../reference/rounding.js';
import { assertWithin, sampleValues, sizeOf } from './boundedProduct.js';
import { tf, useBackend } from './onWasm.js';

before(() => useBackend('wasm'));

interface Equation {
  readonly operands: readonly string[];
  readonly output: string;
  readonly sizes: Readonly<Record<string, number>>;
}

const labels = 'abcde';
const some = fc.shuffledSubarray([...labels]).map((each) => each.join(''));

const equations: fc.Arbitrary<Equation> = fc
  .record({
    operands: fc.array(some, { minLength: 1, maxLength: 2 }),
    order: fc.shuffledSubarray([...labels]),
    sizes: fc.tuple(...[...labels].map(() => fc.integer({ min: 1, max: 4 }))),
  })
  .map(({ operands, order, sizes }) => ({
    operands,
    output: order.filter((label) => operands.some((each) => each.includes(label))).join(''),
    sizes: Object.fromEntries([...labels].map((label, i) => [label, sizes[i]!])),
  }));

function shapeOf(of: string, { sizes }: Equation): number[] {
  return [...of].map((label) => sizes[label]!);
}

/** Calls `visit` for each value of all labels, with the indices of the operands and of the output. */
function visitAll(equation: Equation, visit: (operands: readonly number[], output: number) => void): void {
  const { operands, output, sizes } = equation;
  const used = [...labels].filter((label) => operands.some((each) => each.includes(label)));
  const at: Record<string, number> = {};
  const index = (of: string) => [...of].reduce((i, label) => i * sizes[label]! + at[label]!, 0);
  const walk = (depth: number): void => {
    const label = used[depth];
    if (label === undefined) {
      visit(operands.map(index), index(output));
      return;
    }
    for (let i = 0; i < sizes[label]!; i++) {
      at[label] = i;
      walk(depth + 1);
    }
  };
  walk(0);
}

/** Sums of products, and of their sizes. */
class Sum {
  readonly values: Float64Array;
  readonly sizes: Float64Array;
  constructor(readonly size: number) {
    this.values = new Float64Array(size);
    this.sizes = new Float64Array(size);
  }
  add(i: number, term: number): void {
    this.values[i]! += term;
    this.sizes[i]! += Math.abs(term);
  }
  value(i: number): number {
    return this.values[i]!;
  }
  /** At most 4⁵ terms of three factors, added in any order; partial sums of an operand come first. */
  bound(i: number): number {
    return gamma(float32, 4 ** 5 + 3) * this.sizes[i]!;
  }
}

function check(equation: Equation): void {
  const { operands, output } = equation;
  const what = `${operands.join(',')}->${output}`;
  const shapes = operands.map((each) => shapeOf(each, equation));
  const outShape = shapeOf(output, equation);
  const values = shapes.map((shape, i) => sampleValues(sizeOf(shape), i + 1));
  const dy = sampleValues(sizeOf(outShape), 7);
  const y = new Sum(dy.length);
  const gradients = values.map(({ length }) => new Sum(length));
  visitAll(equation, (places, out) => {
    const factors = places.map((place, i) => values[i]![place]!);
    y.add(
      out,
      factors.reduce((a, b) => a * b, 1),
    );
    places.forEach((place, i) => {
      const others = factors.filter((_, k) => k !== i).reduce((a, b) => a * b, 1);
      gradients[i]!.add(place, dy[out]! * others);
    });
  });
  tf.tidy(() => {
    const inputs = values.map((each, i) => tf.tensor(each, shapes[i]!));
    const run = (...xs: Tensor[]) => tf.einsum(what, ...xs);
    const actual = run(...inputs);
    assert.deepEqual(actual.shape, outShape, what);
    assertWithin(actual.dataSync(), y, what);
    tf.grads(run)(inputs, tf.tensor(dy, outShape)).forEach((gradient, i) => {
      assert.deepEqual(gradient.shape, shapes[i], what);
      assertWithin(gradient.dataSync(), gradients[i]!, `gradient ${i} of ${what}`);
    });
  });
}

test('einsum of one and two operands is the sum of its definition, and so are its gradients', () => {
  fc.assert(fc.property(equations, check), { numRuns: 150 });
});

test('einsum refuses what it cannot mean', () => {
  const [a, b] = [tf.ones([2, 3]), tf.ones([3, 4])];
  assert.throws(() => tf.einsum('ij,jk->iik', a, b), {
    message: "Einsum: the output 'iik' of 'ij,jk->iik' has a label twice. Each may be there once.",
  });
  assert.throws(() => tf.einsum('ij,jk', a, b), { message: 'Equations without an arrow are not supported.' });
  assert.throws(() => tf.einsum('ij,ik->jk', a, b), /^Error: Expected dimension 2 at axis 0/);
  assert.throws(
    () => tf.einsum('ii->i', tf.ones([2, 2])),
    /^Error: Found duplicate axes in input component ii/,
  );
  assert.throws(() => tf.einsum('ij->j', tf.ones([2, 2], 'int32')), {
    message:
      "The wasm backend cannot compute 'Einsum' of (0: int32): TensorFlow.js has no such kernel there, and that of " +
      'the training kernels takes float32 alone. Cast the tensors to float32.',
  });
});
