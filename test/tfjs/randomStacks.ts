// Random stacks of layers: every factory of tf.layers, with random options that fit the tensor at hand.

import fc from 'fast-check';
import { appliedTo, type LayerSpec, type Stack, type Tfl } from './stack.js';

/** Draws one of the values. */
type Pick = <T>(...values: readonly T[]) => T;
type Options = Record<string, unknown>;

/** A family of layers that take tensors of one shape. */
interface Family {
  /** Names of the factory: one and its aliases. */
  readonly names: readonly string[];
  /** Rank without the batch; undefined: any. */
  readonly ranks?: readonly number[];
  /** Merging layers take the tensor and its tanh. */
  readonly merges?: boolean;
  /** Takes whole numbers below `VOCABULARY`; stands first. */
  readonly tokens?: boolean;
  /** undefined where nothing fits; `shape` has no batch. */
  options(pick: Pick, shape: readonly number[]): Options | undefined;
}

const VOCABULARY = 5;
const ACTIVATIONS = [
  ...['elu', 'gelu', 'gelu_new', 'hardSigmoid', 'linear', 'mish', 'relu', 'relu6', 'selu', 'sigmoid'],
  ...['softmax', 'softplus', 'softsign', 'swish', 'tanh'],
];
const flag = (pick: Pick) => pick(true, false);
const activated = (pick: Pick): Options => ({ activation: pick(...ACTIVATIONS), useBias: flag(pick) });

/** Options that all layers with a kernel have. */
function penalties(pick: Pick, name: string): Options {
  return pick<Options>(
    {},
    {},
    { [`${name}Regularizer`]: 'l1l2' },
    { [`${name}Constraint`]: pick('maxNorm', 'minMaxNorm', 'nonNeg', 'unitNorm') },
  );
}

/** A window on the axes of an image or a volume that have `sizes`; a layer allows strides or dilations. */
function window(pick: Pick, sizes: readonly number[], dilates: boolean): Options {
  const padding = pick('valid', 'same');
  const dilated = dilates && pick(false, false, true);
  const each = (low: number) =>
    sizes.map((size) => pick(...[1, 2, 3].filter((value) => value >= low && value <= Math.max(low, size))));
  const kernelSize = each(1);
  const rate = dilated ? 2 : 1;
  const fits = sizes.every((size, i) => (kernelSize[i]! - 1) * rate < size);
  return {
    kernelSize,
    padding: fits ? padding : 'same',
    ...(dilated ? { dilationRate: rate } : { strides: each(1) }),
  };
}

function pool(pick: Pick, sizes: readonly number[]): Options {
  const poolSize = sizes.map((size) => pick(...[1, 2, 3].filter((value) => value <= size)));
  const strides = pick<readonly number[] | undefined>(
    undefined,
    sizes.map(() => pick(1, 2, 3)),
  );
  return { poolSize, ...(strides === undefined ? {} : { strides }), padding: pick('valid', 'same') };
}

/** Options of one axis are numbers. */
function scalars(options: Options): Options {
  const first = (value: unknown) => (Array.isArray(value) ? value[0] : value);
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, first(value)]));
}

const spatial = (shape: readonly number[]) => shape.slice(0, -1);

function recurrent(pick: Pick): Options {
  return {
    units: pick(2, 3),
    activation: pick('tanh', 'relu', 'sigmoid', 'softsign'),
    useBias: flag(pick),
  };
}

function gated(pick: Pick): Options {
  return {
    ...recurrent(pick),
    recurrentActivation: pick('hardSigmoid', 'sigmoid'),
    implementation: pick(1, 2),
  };
}

function sequenceOptions(pick: Pick): Options {
  return {
    returnSequences: flag(pick),
    goBackwards: flag(pick),
    unroll: flag(pick),
    stateful: pick(false, false, true),
  };
}

function cell(pick: Pick): LayerSpec {
  const layer = pick('simpleRNNCell', 'gruCell', 'lstmCell');
  return { layer, options: layer === 'simpleRNNCell' ? recurrent(pick) : gated(pick) };
}

function recurrentLayer(pick: Pick): LayerSpec {
  const layer = pick('simpleRNN', 'gru', 'lstm');
  const options = layer === 'simpleRNN' ? recurrent(pick) : gated(pick);
  return { layer, options: { ...options, returnSequences: flag(pick) } };
}

const pooling = (dimensions: 1 | 2 | 3, names: readonly string[]): Family => ({
  names,
  ranks: [dimensions + 1],
  options: (pick, shape) => {
    const options = pool(pick, spatial(shape));
    return dimensions === 1 ? scalars(options) : options;
  },
});

const merging = (name: string): Family => ({ names: [name], merges: true, options: () => ({}) });

export const FAMILIES: readonly Family[] = [
  { names: ['activation'], options: (pick) => ({ activation: pick(...ACTIVATIONS) }) },
  { names: ['elu'], options: () => ({}) },
  { names: ['reLU'], options: (pick) => pick<Options>({}, { maxValue: 0.4 }) },
  { names: ['leakyReLU'], options: (pick) => ({ alpha: pick(0.1, 0.3) }) },
  {
    names: ['prelu'],
    options: (pick, shape) => pick<Options>({}, { sharedAxes: [pick(...shape.map((_, i) => i + 1))] }),
  },
  {
    names: ['softmax'],
    options: (pick, { length }) => (length === 1 ? pick<Options>({}, { axis: -1 }) : { axis: -1 }),
  },
  { names: ['thresholdedReLU'], options: (pick) => ({ theta: pick(0.1, 0.5) }) },
  {
    names: ['dense'],
    options: (pick) => ({ units: pick(1, 3, 5), ...activated(pick), ...penalties(pick, 'kernel') }),
  },
  {
    names: ['dropout'],
    options: (pick) => ({ rate: pick(0.2, 0.5), seed: 3 }),
  },
  { names: ['spatialDropout1d'], ranks: [2], options: (pick) => ({ rate: pick(0.2, 0.5), seed: 3 }) },
  { names: ['flatten'], ranks: [2, 3, 4], options: () => ({}) },
  { names: ['repeatVector'], ranks: [1], options: (pick) => ({ n: pick(1, 2, 3) }) },
  {
    names: ['reshape'],
    options: (_, shape) => ({ targetShape: shape.length === 1 ? [shape[0], 1] : [shape[0], -1] }),
  },
  {
    names: ['permute'],
    ranks: [2, 3],
    options: (pick, { length }) => ({
      dims: length === 2 ? pick([1, 2], [2, 1]) : pick([3, 1, 2], [2, 1, 3], [1, 3, 2], [3, 2, 1]),
    }),
  },
  {
    names: ['embedding'],
    ranks: [1],
    tokens: true,
    options: (pick) => ({ inputDim: VOCABULARY, outputDim: pick(2, 3), maskZero: flag(pick) }),
  },
  {
    names: ['categoryEncoding'],
    ranks: [1],
    tokens: true,
    options: (pick) => ({ numTokens: VOCABULARY, outputMode: pick('multiHot', 'oneHot') }),
  },
  ...['add', 'average', 'maximum', 'minimum', 'multiply'].map(merging),
  {
    names: ['concatenate'],
    merges: true,
    options: (pick, shape) => ({ axis: pick(-1, ...shape.map((_, i) => i + 1)) }),
  },
  {
    names: ['dot'],
    ranks: [1, 2],
    merges: true,
    options: (pick, { length }) => ({
      axes: length === 1 ? pick(1, -1) : pick(1, 2, -1),
      normalize: flag(pick),
    }),
  },
  {
    names: ['batchNormalization'],
    options: (pick, { length }) => ({
      axis: pick(-1, -1, 1 + Math.min(1, length - 1), 1),
      center: pick(true, true, false),
      scale: pick(true, true, false),
      momentum: pick(0.9, 0.99),
    }),
  },
  {
    names: ['layerNormalization'],
    options: (pick, { length }) => ({
      axis: pick<unknown>(-1, length, length > 1 ? [length - 1, length] : -1),
      center: flag(pick),
      scale: flag(pick),
    }),
  },
  { names: ['gaussianNoise'], options: (pick) => ({ stddev: pick(0.1, 0.5) }) },
  { names: ['gaussianDropout'], options: (pick) => ({ rate: pick(0.1, 0.4) }) },
  { names: ['alphaDropout'], options: (pick) => ({ rate: pick(0.1, 0.4) }) },
  { names: ['rescaling'], options: (pick) => ({ scale: pick(0.5, 2), offset: pick(0, -1) }) },
  { names: ['masking'], ranks: [2], options: (pick) => ({ maskValue: pick(0, 1) }) },
  {
    names: ['conv1d'],
    ranks: [2],
    options: (pick, shape) => ({
      filters: pick(1, 2, 4),
      ...scalars(window(pick, spatial(shape), true)),
      ...activated(pick),
      ...penalties(pick, 'kernel'),
    }),
  },
  {
    names: ['conv2d'],
    ranks: [3],
    options: (pick, shape) => ({
      filters: pick(1, 2, 4),
      ...window(pick, spatial(shape), true),
      ...activated(pick),
      ...penalties(pick, 'kernel'),
    }),
  },
  {
    names: ['conv2dTranspose'],
    ranks: [3],
    options: (pick, shape) => ({
      filters: pick(1, 3),
      ...window(pick, spatial(shape), false),
      ...activated(pick),
    }),
  },
  {
    names: ['conv3d'],
    ranks: [4],
    options: (pick, shape) => ({
      filters: pick(1, 3),
      ...window(pick, spatial(shape), false),
      ...activated(pick),
    }),
  },
  {
    names: ['conv3dTranspose'],
    ranks: [4],
    options: (pick, shape) => ({
      filters: pick(1, 2),
      ...window(pick, spatial(shape), false),
      ...activated(pick),
    }),
  },
  {
    names: ['separableConv2d'],
    ranks: [3],
    options: (pick, shape) => {
      const { strides, ...rest } = window(pick, spatial(shape), true);
      // TensorFlow.js takes one stride for both axes.
      const stride = strides === undefined ? {} : { strides: (strides as number[])[0] };
      return { filters: pick(1, 3), depthMultiplier: pick(1, 2), ...rest, ...stride, ...activated(pick) };
    },
  },
  {
    names: ['depthwiseConv2d'],
    ranks: [3],
    options: (pick, shape) => {
      const { strides, ...rest } = window(pick, spatial(shape), true);
      const stride = strides === undefined ? {} : { strides: (strides as number[])[0] };
      return { depthMultiplier: pick(1, 2), ...rest, ...stride, ...activated(pick) };
    },
  },
  {
    names: ['cropping2D'],
    ranks: [3],
    options: (pick, [height, width]) => {
      const sides = (size: number) => [pick(0, 1), pick(...(size > 2 ? [0, 1] : [0]))];
      return height! < 2 || width! < 2 ? undefined : { cropping: [sides(height!), sides(width!)] };
    },
  },
  {
    names: ['zeroPadding2d'],
    ranks: [3],
    options: (pick) => ({
      padding: [
        [pick(0, 1, 2), pick(0, 1)],
        [pick(0, 1), pick(0, 2)],
      ],
    }),
  },
  {
    names: ['upSampling2d'],
    ranks: [3],
    options: (pick) => ({ size: [pick(1, 2), pick(2, 3)], interpolation: pick('nearest', 'bilinear') }),
  },
  {
    names: ['centerCrop'],
    ranks: [3],
    options: (pick, [height, width]) => ({ height: pick(1, height!), width: pick(1, width!) }),
  },
  {
    names: ['resizing'],
    ranks: [3],
    options: (pick) => ({
      height: pick(2, 4, 5),
      width: pick(3, 6),
      interpolation: pick('bilinear', 'nearest'),
      cropToAspectRatio: false,
    }),
  },
  { names: ['randomWidth'], ranks: [3], options: () => ({ factor: 0.3, seed: 3 }) },
  pooling(1, ['averagePooling1d', 'avgPool1d', 'avgPooling1d']),
  pooling(2, ['averagePooling2d', 'avgPool2d', 'avgPooling2d']),
  pooling(3, ['averagePooling3d', 'avgPool3d', 'avgPooling3d']),
  pooling(1, ['maxPooling1d', 'maxPool1d']),
  pooling(2, ['maxPooling2d', 'maxPool2d']),
  pooling(3, ['maxPooling3d']),
  {
    names: ['globalAveragePooling1d', 'globalMaxPooling1d', 'globalMaxPool1d'],
    ranks: [2],
    options: () => ({}),
  },
  {
    names: ['globalAveragePooling2d', 'globalMaxPooling2d', 'globalMaxPool2d'],
    ranks: [3],
    options: () => ({}),
  },
  {
    names: ['simpleRNN'],
    ranks: [2],
    options: (pick) => ({ ...recurrent(pick), ...sequenceOptions(pick), dropout: pick(0, 0, 0.2), seed: 5 }),
  },
  {
    names: ['gru', 'lstm'],
    ranks: [2],
    options: (pick) => ({ ...gated(pick), ...sequenceOptions(pick) }),
  },
  {
    names: ['rnn'],
    ranks: [2],
    options: (pick) => ({ cell: cell(pick), returnSequences: flag(pick) }),
  },
  {
    names: ['rnn'],
    ranks: [2],
    options: (pick) => ({ cell: { layer: 'stackedRNNCells', options: { cells: [cell(pick), cell(pick)] } } }),
  },
  {
    names: ['bidirectional'],
    ranks: [2],
    options: (pick) => ({ layer: recurrentLayer(pick), mergeMode: pick('concat', 'sum', 'mul', 'ave') }),
  },
  {
    names: ['timeDistributed'],
    ranks: [2],
    options: (pick) => ({ layer: { layer: 'dense', options: { units: pick(2, 3), ...activated(pick) } } }),
  },
  {
    names: ['timeDistributed'],
    ranks: [4],
    options: (pick) => ({ layer: { layer: 'conv2d', options: { filters: 2, kernelSize: pick(1, 2) } } }),
  },
  {
    names: ['convLstm2d'],
    ranks: [4],
    options: (pick, shape) => ({
      filters: pick(1, 2),
      kernelSize: shape[1]! > 1 && shape[2]! > 1 ? pick(1, 2) : 1,
      padding: pick('valid', 'same'),
      returnSequences: flag(pick),
    }),
  },
];

/** Shapes of inputs, without the batch. */
function inputShape(pick: Pick, rank: number): number[] {
  const extents = Array.from({ length: rank - 1 }, () => (rank > 3 ? pick(2, 3, 4) : pick(3, 4, 5, 6)));
  return [...extents, pick(1, 2, 3)];
}

/** Numbers in a tensor, at most: stacks stay small. */
const LARGEST = 600;

/** A stack of one to three layers that begins with a layer of `family`, or where it must with another one. */
export function randomStack(tfl: Tfl, draw: fc.GeneratorValue, family: Family): Stack {
  const pick: Pick = (...values) => values[draw(fc.nat, { max: values.length - 1 })]!;
  const rank = family.ranks === undefined ? pick(1, 2, 3, 4) : pick(...family.ranks);
  const batchShape = [pick(1, 2, 3), ...(family.tokens === true ? [pick(3, 4)] : inputShape(pick, rank))];
  const vocabulary = family.tokens === true ? { vocabulary: VOCABULARY } : {};
  const layers: LayerSpec[] = [];
  let x = tfl.input({ batchShape: [...batchShape] });
  const append = (chosen: Family) => {
    const shape = x.shape.slice(1) as number[];
    const options = chosen.options(pick, shape);
    if (options === undefined) return;
    const merges = chosen.merges === true ? { merges: true } : {};
    const spec: LayerSpec = { layer: pick(...chosen.names), options, ...merges };
    const next = appliedTo(tfl, spec, x);
    const size = next.shape.reduce<number>((product, extent) => product * (extent ?? 1), 1);
    if (next.shape.includes(0) || size > LARGEST) return;
    layers.push(spec);
    x = next;
  };
  // A layer with weights in front: the gradient of the input is part of what is trained.
  const before = rank === 3 ? ['conv2d'] : rank === 1 ? ['dense'] : ['dense', 'timeDistributed'];
  if (family.tokens !== true) {
    const first = FAMILIES.filter(({ names }) => before.includes(names[0]!)).find(({ ranks = [rank] }) =>
      ranks.includes(rank),
    );
    if (first !== undefined && flag(pick)) append(first);
  }
  const fits = (chosen: Family) => chosen.ranks === undefined || chosen.ranks.includes(x.shape.length - 1);
  if (fits(family)) append(family);
  for (let more = family.names[0] === 'randomWidth' ? 0 : pick(0, 1, 2); more > 0; more--) {
    append(
      pick(
        ...FAMILIES.filter(
          (chosen) => fits(chosen) && chosen.tokens !== true && chosen.names[0] !== 'randomWidth',
        ),
      ),
    );
  }
  return { batchShape, ...vocabulary, layers };
}
