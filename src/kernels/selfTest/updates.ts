// The sum over shards, and the updates of all optimizers.
import { NONE, plus } from '../address.js';
import { A, B, OUT, SIZE, type Trial } from './memory.js';

const COUNT = 64;

/** Shards that an update sums on its way. */
const SHARD_COUNTS = [1, 2, 4, 8];

const ADAM = {
  parameters: OUT,
  m: plus(OUT, 320),
  v: plus(OUT, 640),
  count: COUNT,
  scale: 0.5,
  beta1: 0.9,
  oneMinusBeta1: 0.1,
  beta2: 0.999,
  oneMinusBeta2: 0.001,
  stepSize: 0.01,
  rootCorrection: 2,
  epsilon: 1e-8,
};

const SGD = { parameters: OUT, count: COUNT, scale: 0.5, momentum: 0.9, rate: 0.01 };

const VELOCITY = plus(OUT, 320);

export function runUpdates({ kernels, out, keep }: Trial): void {
  const update = (call: () => void) => {
    out.fill(0.25);
    call();
    keep();
  };
  // In place: five shards on a copy.
  kernels.copyFloats(A, OUT, SIZE);
  kernels.treeReduce(OUT, 384, 5, 96);
  keep();
  for (const shards of SHARD_COUNTS) {
    const sum = { slots: A, pitch: 1024, shards };
    update(() => kernels.reduceAdam({ ...ADAM, ...sum }));
    update(() => kernels.reduceSgd({ ...SGD, ...sum, velocity: VELOCITY }));
    update(() => kernels.reduceSgd({ ...SGD, ...sum, velocity: NONE }));
  }
  update(() => kernels.adam({ ...ADAM, gradient: A }));
  update(() => kernels.sgd({ ...SGD, gradient: A, velocity: VELOCITY }));
  update(() => kernels.sgd({ ...SGD, gradient: A, velocity: NONE }));
  kernels.copyFloats(A, OUT, SIZE);
  kernels.scaleFloats(OUT, SIZE, 0.999);
  keep();
  update(() => kernels.squaredNorms(A, COUNT - 1, 16, OUT));
  kernels.copyFloats(A, OUT, SIZE);
  kernels.averageFloats(OUT, B, SIZE, 0.001);
  keep();
}
