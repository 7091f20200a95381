// The training step in jax-js, one jitted function on its WebAssembly backend: docs/peers.md. Arguments: the
// problem's directory and the number of threads. jax-js starts threads where there is a global `Worker`,
// which Node does not have; without one it computes on the main thread.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serve } from './conversation.js';
import { shimWorker } from './workerShim.js';

const [directory = '', threads = '1'] = process.argv.slice(2);
// jax-js asks once, when its backend starts.
if (Number(threads) > 1) shimWorker(Number(threads));
const {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy: np,
  random,
  tree,
  valueAndGrad,
} = await import('@jax-js/jax');
await init('wasm');
defaultDevice('wasm');

/** jax-js counts references: a function consumes its arguments, and `.ref` keeps one for another use. */
type Tensor = InstanceType<typeof np.Array>;
/** [weights, bias] */
type Layer = [Tensor, Tensor];

interface Problem {
  readonly model: 'cvae' | 'mlp' | 'iwae';
  readonly input: readonly [number, number, number];
  readonly latent: number;
  readonly batchSize: number;
  readonly samples: number;
  readonly adam: {
    readonly learningRate: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
  };
  readonly parameters: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly offset: number;
    readonly size: number;
  }[];
}

const problem = JSON.parse(readFileSync(join(directory, 'problem.json'), 'utf8')) as Problem;
const { model, input, latent, batchSize, samples, adam } = problem;

function floats(name: string): Float32Array<ArrayBuffer> {
  const bytes = readFileSync(join(directory, name));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** The parameters of a run, in the order of problem.json: weights and bias of each layer in turn. */
function parameters(): Tensor[] {
  const flat = floats('parameters.f32');
  return problem.parameters.map(({ shape, offset, size }) =>
    np.array(flat.slice(offset, offset + size)).reshape([...shape]),
  );
}

/** Tensors of `shape` in a file, one after the other. */
function tensors(name: string, shape: readonly number[]): Tensor[] {
  const all = floats(name);
  const size = shape.reduce((product, extent) => product * extent, 1);
  return Array.from({ length: all.length / size }, (_, i) =>
    np.array(all.slice(i * size, (i + 1) * size)).reshape([...shape]),
  );
}

const encoderLayers = problem.parameters.filter(({ name }) => /^encoder\/.*\/weights$/.test(name)).length;

/** Splits the flat list into layers of [weights, bias], those of the encoder and those of the decoder. */
function sides(flat: readonly Tensor[]): { encoder: Layer[]; decoder: Layer[] } {
  const layers = Array.from({ length: flat.length / 2 }, (_, i): Layer => [flat[2 * i]!, flat[2 * i + 1]!]);
  return { encoder: layers.slice(0, encoderLayers), decoder: layers.slice(encoderLayers) };
}

function dense(x: Tensor, [weights, bias]: Layer): Tensor {
  return np.dot(x, weights).add(bias);
}

function perceptron(activation: (x: Tensor) => Tensor) {
  return (x: Tensor, layers: readonly Layer[]): Tensor =>
    layers.reduce(
      (y, layer, i) => (i + 1 < layers.length ? activation(dense(y, layer)) : dense(y, layer)),
      x.reshape([x.shape[0]!, -1]),
    );
}

/** x [n, h, w, in], weights [kh, kw, in, out]. */
function conv2d(x: Tensor, [weights, bias]: Layer, stride: number, padding: 'VALID' | 'SAME'): Tensor {
  const kernel = weights.transpose([3, 2, 0, 1]);
  const maps = lax.convGeneralDilated(x.transpose([0, 3, 1, 2]), kernel, [stride, stride], padding);
  return maps.transpose([0, 2, 3, 1]).add(bias);
}

/** Places of a pixel's neighbours above and to the left, and of the pixel itself. */
const TAPS = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const;

/**
 * Stride 2, `same`, x [n, h, w, in], weights [3, 3, out, in]: y[2a + p] = Σ_j x[a - j] w[2j + p] along both
 * axes, w[3] being 0. One product computes the four phases p of all pixels; jax-js's own convolution of a
 * dilated input takes six times as long.
 */
function doubled(x: Tensor, [weights, bias]: Layer): Tensor {
  const [n, h, w] = x.shape as [number, number, number];
  const [, , outputs, inputs] = weights.shape as [number, number, number, number];
  const even = np.pad(weights, { 0: [0, 1], 1: [0, 1] }).reshape([2, 2, 2, 2, outputs, inputs]);
  // [j, j, in, p, p, out], the farther tap first
  const kernel = np.flip(even.transpose([0, 2, 5, 1, 3, 4]), [0, 1]).reshape([4 * inputs, 4 * outputs]);
  const bordered = np.pad(x, { 1: [1, 0], 2: [1, 0] });
  const taps = TAPS.map(([top, left]) => bordered.ref.slice([], [top, top + h], [left, left + w], []));
  bordered.dispose();
  const columns = np.concatenate(taps, 3).reshape([n * h * w, 4 * inputs]);
  const phases = np.dot(columns, kernel).reshape([n, h, w, 2, 2, outputs]);
  return phases
    .transpose([0, 1, 3, 2, 4, 5])
    .reshape([n, 2 * h, 2 * w, outputs])
    .add(bias);
}

/** Stride 1: a convolution with the kernel turned round. */
function turned(x: Tensor, [weights, bias]: Layer): Tensor {
  return conv2d(x, [np.flip(weights, [0, 1]).transpose([0, 1, 3, 2]), bias], 1, 'SAME');
}

const cvae = {
  encoder: (x: Tensor, layers: readonly Layer[]): Tensor => {
    const maps = layers.slice(0, 2).reduce((map, layer) => nn.relu(conv2d(map, layer, 2, 'VALID')), x);
    return dense(maps.reshape([maps.shape[0]!, -1]), layers[2]!);
  },
  decoder: (z: Tensor, layers: readonly Layer[]): Tensor => {
    const first = nn.relu(dense(z, layers[0]!)).reshape([-1, 7, 7, 32]);
    const maps = layers.slice(1, 3).reduce((map, layer) => nn.relu(doubled(map, layer)), first);
    return turned(maps, layers[3]!).reshape([batchSize * samples, -1]);
  },
};
const [relu, tanh] = [perceptron(nn.relu), perceptron(np.tanh)];
const { encoder, decoder } = {
  cvae,
  mlp: { encoder: relu, decoder: relu },
  iwae: { encoder: tanh, decoder: tanh },
}[model];

/**
 * log(1 + exp(l)) in the form that cannot overflow. jax-js's log is a short series: of numbers just below a
 * power of two it is wrong by 10⁻⁵, and at first exp(-|l|) + 1 is one of them. Those of square roots are
 * right.
 */
function softplus(logits: Tensor): Tensor {
  const root = np.sqrt(np.exp(np.abs(logits.ref).neg()).add(1));
  return np.maximum(logits, 0).add(np.log(root).mul(2));
}

/** Minus the ELBO, mean over the batch, nats. x [n, h, w, c], noise [n, K, d]. */
function loss(flat: Tensor[], x: Tensor, noise: Tensor): Tensor {
  const layers = sides(flat);
  const target = x.ref.reshape([batchSize, 1, -1]);
  const [mu, logvar] = np.split(encoder(x, layers.encoder), 2, 1) as [Tensor, Tensor];
  const deviation = np.exp(logvar.ref.mul(0.5)).reshape([batchSize, 1, latent]);
  const z = mu.ref.reshape([batchSize, 1, latent]).add(deviation.mul(noise)).reshape([-1, latent]);
  const logits = decoder(z, layers.decoder).reshape([batchSize, samples, -1]);
  // Row by row: jax-js adds one term after the other, and a sum of 100,000 of them would lose a digit.
  const crossEntropy = softplus(logits.ref).sub(logits.mul(target)).sum(-1).sum().div(samples);
  const kl = np.square(mu).add(np.exp(logvar.ref)).sub(logvar).sub(1).sum().mul(0.5);
  return crossEntropy.add(kl).div(batchSize);
}

/** `powers` are β₁ᵗ and β₂ᵗ, kept as products so that no power function is needed in a step. */
type State = { parameters: Tensor[]; m: Tensor[]; v: Tensor[]; powers: [Tensor, Tensor] };

/** Kingma and Ba (2015), algorithm 1; t from 1. */
function adamUpdate({ parameters: values, m, v, powers }: State, gradients: readonly Tensor[]): State {
  const { learningRate, beta1, beta2, epsilon } = adam;
  const [power1, power2] = [powers[0].mul(beta1), powers[1].mul(beta2)];
  const stepSize = np.divide(learningRate, np.subtract(1, power1.ref));
  const correction = np.sqrt(np.subtract(1, power2.ref));
  const moved: State = { parameters: [], m: [], v: [], powers: [power1, power2] };
  gradients.forEach((gradient, i) => {
    const first = m[i]!.mul(beta1).add(gradient.ref.mul(1 - beta1));
    const second = v[i]!.mul(beta2).add(np.square(gradient).mul(1 - beta2));
    const size = np.sqrt(second.ref).div(correction.ref).add(epsilon);
    moved.parameters.push(values[i]!.sub(first.ref.mul(stepSize.ref).div(size)));
    moved.m.push(first);
    moved.v.push(second);
  });
  stepSize.dispose();
  correction.dispose();
  return moved;
}

const givenStep = jit(function step(state: State, x: Tensor, noise: Tensor): { value: Tensor; state: State } {
  const [value, gradients] = valueAndGrad(loss)(tree.ref(state.parameters), x, noise);
  return { value, state: adamUpdate(state, gradients) };
});

const randomStep = jit(function step(state: State, x: Tensor, key: Tensor) {
  const [next, used] = random.split(key) as unknown as [Tensor, Tensor];
  const [value, gradients] = valueAndGrad(loss)(
    tree.ref(state.parameters),
    x,
    random.normal(used, [batchSize, samples, latent]),
  );
  return { value, state: adamUpdate(state, gradients), key: next };
});

const batches = tensors('x.f32', [batchSize, ...input]);
const initial = parameters();
const zeros = () => initial.map(({ shape }) => np.zeros(shape));
let state: State = { m: zeros(), v: zeros(), parameters: initial, powers: [np.ones([]), np.ones([])] };
let key = random.key(0);
let place = 0;

const nextBatch = () => batches[place++ % batches.length]!.ref;

async function firstLosses(): Promise<number[]> {
  const losses: number[] = [];
  for (const noise of tensors('epsilon.f32', [batchSize, samples, latent])) {
    const result = givenStep(state, nextBatch(), noise);
    state = result.state;
    losses.push((await result.value.data())[0]!);
  }
  return losses;
}

async function run(steps: number): Promise<void> {
  let last = Number.NaN;
  for (let i = 0; i < steps; i++) {
    const result = randomStep(state, nextBatch(), key);
    ({ state, key } = result);
    last = (await result.value.data())[0]!;
  }
  await blockUntilReady(state);
  if (!Number.isFinite(last)) throw new Error(`The loss is ${last} after ${steps} steps.`);
}

const { version } = JSON.parse(
  readFileSync(new URL('package.json', import.meta.resolve('@jax-js/jax').replace(/dist\/.*/, '')), 'utf8'),
) as { version: string };
await serve(`jax-js ${version}, Node ${process.versions.node}`, await firstLosses(), run);
// jax-js does not end its threads.
process.exit();
