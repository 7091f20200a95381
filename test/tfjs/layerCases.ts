// Layers, losses and optimizers of LayersModel, each in a small model.

import type * as Layers from '@tensorflow/tfjs-layers';

export type Tfl = typeof Layers;
type Layer = Layers.layers.Layer;

export interface LayerCase {
  readonly name: string;
  /** Without the batch. */
  readonly inputShape: readonly number[];
  /** Inputs are whole numbers below this, where it is given. */
  readonly vocabulary?: number;
  /** Default 4. */
  readonly batch?: number;
  /** Before a dense layer to one output. */
  layers(tfl: Tfl): Layer[];
  /** The same function of layers that the backend `cpu` can train, with the same weights. */
  equivalent?(tfl: Tfl): Layer[];
}

const IMAGE = [6, 6, 3];
const SEQUENCE = [5, 4];
const VECTOR = [6];
const VOLUME = [4, 4, 4, 2];

function activation(name: string): LayerCase {
  return {
    name: `activation ${name}`,
    inputShape: VECTOR,
    layers: ({ layers }) => [layers.dense({ units: 5 }), layers.activation({ activation: name as 'relu' })],
  };
}

function onImages(name: string, of: (tfl: Tfl) => Layer[], equivalent?: (tfl: Tfl) => Layer[]): LayerCase {
  const behind = (layers: (tfl: Tfl) => Layer[]) => (tfl: Tfl) => [
    tfl.layers.conv2d({ filters: 4, kernelSize: 1, useBias: false }),
    ...layers(tfl),
  ];
  return {
    name,
    inputShape: IMAGE,
    layers: behind(of),
    ...(equivalent && { equivalent: behind(equivalent) }),
  };
}

function onSequences(name: string, of: (tfl: Tfl) => Layer[]): LayerCase {
  return { name, inputShape: SEQUENCE, layers: of };
}

function onVolumes(name: string, of: (tfl: Tfl) => Layer[]): LayerCase {
  return {
    name,
    inputShape: VOLUME,
    layers: (tfl) => [tfl.layers.conv3d({ filters: 3, kernelSize: 1 }), ...of(tfl)],
  };
}

const ACTIVATIONS = [
  'elu',
  'gelu',
  'gelu_new',
  'hardSigmoid',
  'linear',
  'mish',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softmax',
  'softplus',
  'softsign',
  'swish',
  'tanh',
];

export const layerCases: readonly LayerCase[] = [
  ...ACTIVATIONS.map(activation),
  {
    name: 'leakyReLU, prelu, elu, softmax layers',
    inputShape: VECTOR,
    layers: ({ layers }) => [
      layers.dense({ units: 7 }),
      layers.leakyReLU({ alpha: 0.2 }),
      layers.prelu({ alphaInitializer: 'ones' }),
      layers.elu(),
      layers.softmax({}),
    ],
  },
  {
    name: 'dropout',
    inputShape: VECTOR,
    layers: ({ layers }) => [layers.dense({ units: 8 }), layers.dropout({ rate: 0.4, seed: 3 })],
  },
  onImages('batchNormalization', ({ layers }) => [layers.batchNormalization()]),
  onImages(
    'batchNormalization of the lines',
    ({ layers }) => [layers.batchNormalization({ axis: 1 })],
    ({ layers }) => [
      layers.permute({ dims: [3, 2, 1] }),
      layers.batchNormalization(),
      layers.permute({ dims: [3, 2, 1] }),
    ],
  ),
  onImages('batchNormalization without scale', ({ layers }) => [layers.batchNormalization({ scale: false })]),
  onImages('batchNormalization without scale and offset', ({ layers }) => [
    layers.batchNormalization({ scale: false, center: false }),
  ]),
  {
    // A bias in front of it has the gradient 0, which is all rounding.
    name: 'batchNormalization of volumes',
    inputShape: VOLUME,
    layers: ({ layers }) => [
      layers.conv3d({ filters: 3, kernelSize: 1, useBias: false }),
      layers.batchNormalization(),
    ],
    equivalent: ({ layers }) => [
      layers.conv3d({ filters: 3, kernelSize: 1, useBias: false }),
      layers.reshape({ targetShape: [16, 4, 3] }),
      layers.batchNormalization(),
    ],
  },
  {
    name: 'batchNormalization of the second axis of volumes',
    inputShape: [4, 2, 3, 2],
    layers: ({ layers }) => [
      layers.conv3d({ filters: 3, kernelSize: 1 }),
      layers.batchNormalization({ axis: 2 }),
    ],
    equivalent: ({ layers }) => [
      layers.conv3d({ filters: 3, kernelSize: 1 }),
      layers.permute({ dims: [1, 3, 4, 2] }),
      layers.reshape({ targetShape: [4, 9, 2] }),
      layers.batchNormalization(),
      layers.reshape({ targetShape: [4, 3, 3, 2] }),
      layers.permute({ dims: [1, 4, 2, 3] }),
    ],
  },
  onImages('thresholdedReLU', ({ layers }) => [layers.thresholdedReLU({ theta: 0.3 })]),
  onImages('centerCrop', ({ layers }) => [layers.centerCrop({ height: 3, width: 4 })]),
  onImages('centerCrop of whole lines', ({ layers }) => [layers.centerCrop({ height: 3, width: 6 })]),
  {
    // The cpu backend's gradient is right for the first image alone.
    batch: 1,
    ...onImages('centerCrop to more', ({ layers }) => [layers.centerCrop({ height: 8, width: 9 })]),
  },
  {
    batch: 1,
    ...onImages('resizing', ({ layers }) => [layers.resizing({ height: 8, width: 4 })]),
  },
  {
    batch: 1,
    ...onImages('resizing, nearest', ({ layers }) => [
      layers.resizing({ height: 3, width: 12, interpolation: 'nearest' }),
    ]),
  },
  onImages('layerNormalization', ({ layers }) => [layers.layerNormalization()]),
  onImages('conv2d, same, stride 2', ({ layers }) => [
    layers.conv2d({ filters: 5, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
  ]),
  onImages('conv2dTranspose', ({ layers }) => [
    layers.conv2dTranspose({ filters: 5, kernelSize: 3, strides: 2, padding: 'same' }),
  ]),
  onImages('depthwiseConv2d', ({ layers }) => [
    layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }),
  ]),
  onImages('separableConv2d', ({ layers }) => [layers.separableConv2d({ filters: 5, kernelSize: 3 })]),
  onImages('separableConv2d, stride 3, 2 taps', ({ layers }) => [
    layers.separableConv2d({ filters: 5, kernelSize: 2, strides: 3, padding: 'same' }),
  ]),
  onImages('maxPooling2d', ({ layers }) => [layers.maxPooling2d({ poolSize: 2 })]),
  onImages('maxPooling2d, same, stride 1', ({ layers }) => [
    layers.maxPooling2d({ poolSize: 3, strides: 1, padding: 'same' }),
  ]),
  onImages('averagePooling2d', ({ layers }) => [layers.averagePooling2d({ poolSize: 2 })]),
  onImages('globalAveragePooling2d', ({ layers }) => [layers.globalAveragePooling2d({})]),
  onImages('globalMaxPooling2d', ({ layers }) => [layers.globalMaxPooling2d({})]),
  {
    // The cpu backend's gradient is right for the first image alone.
    batch: 1,
    ...onImages('upSampling2d, nearest', ({ layers }) => [layers.upSampling2d({ size: [2, 2] })]),
  },
  onImages('zeroPadding2d and cropping2D', ({ layers }) => [
    layers.zeroPadding2d({ padding: 2 }),
    layers.cropping2D({
      cropping: [
        [1, 0],
        [2, 1],
      ],
    }),
  ]),
  onImages('permute and reshape', ({ layers }) => [
    layers.permute({ dims: [3, 1, 2] }),
    layers.reshape({ targetShape: [12, 12] }),
  ]),
  onSequences('conv1d', ({ layers }) => [layers.conv1d({ filters: 5, kernelSize: 3, padding: 'same' })]),
  onSequences('maxPooling1d and averagePooling1d', ({ layers }) => [
    layers.conv1d({ filters: 4, kernelSize: 1 }),
    layers.maxPooling1d({ poolSize: 2 }),
    layers.averagePooling1d({ poolSize: 2 }),
  ]),
  onSequences('globalAveragePooling1d', ({ layers }) => [
    layers.conv1d({ filters: 4, kernelSize: 2 }),
    layers.globalAveragePooling1d(),
  ]),
  onSequences('simpleRNN', ({ layers }) => [layers.simpleRNN({ units: 5 })]),
  onSequences('lstm', ({ layers }) => [layers.lstm({ units: 5 })]),
  onSequences('gru', ({ layers }) => [layers.gru({ units: 5 })]),
  onSequences('bidirectional lstm, all outputs', ({ layers }) => [
    layers.bidirectional({
      layer: layers.lstm({ units: 3, returnSequences: true }) as Layers.RNN,
      mergeMode: 'concat',
    }),
  ]),
  {
    name: 'lstm of one step behind another layer',
    inputShape: [1, 4],
    layers: ({ layers }) => [layers.dense({ units: 4 }), layers.lstm({ units: 3 })],
  },
  onSequences('timeDistributed dense', ({ layers }) => [
    layers.timeDistributed({ layer: layers.dense({ units: 4 }) }),
  ]),
  {
    name: 'repeatVector',
    inputShape: VECTOR,
    layers: ({ layers }) => [layers.dense({ units: 3 }), layers.repeatVector({ n: 4 })],
  },
  {
    name: 'embedding',
    inputShape: [7],
    vocabulary: 9,
    layers: ({ layers }) => [layers.embedding({ inputDim: 9, outputDim: 4 })],
  },
  onVolumes('conv3d', ({ layers }) => [layers.conv3d({ filters: 4, kernelSize: 2 })]),
  onVolumes('conv3dTranspose', ({ layers }) => [
    layers.conv3dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }),
  ]),
  onVolumes('maxPooling3d', ({ layers }) => [layers.maxPooling3d({ poolSize: 2 })]),
  onVolumes('averagePooling3d', ({ layers }) => [layers.averagePooling3d({ poolSize: 2 })]),
  {
    name: 'convLstm2d',
    inputShape: [3, 5, 5, 2],
    layers: ({ layers }) => [layers.convLstm2d({ filters: 3, kernelSize: 3 })],
  },
];

/** The losses of tfjs-layers, with the targets that each is made for. */
export const losses = {
  binaryCrossentropy: 'probabilities',
  categoricalCrossentropy: 'probabilities',
  categoricalHinge: 'probabilities',
  cosineProximity: 'numbers',
  hinge: 'numbers',
  kullbackLeiblerDivergence: 'probabilities',
  logcosh: 'numbers',
  meanAbsoluteError: 'numbers',
  meanAbsolutePercentageError: 'numbers',
  meanSquaredError: 'numbers',
  meanSquaredLogarithmicError: 'probabilities',
  poisson: 'probabilities',
  sparseCategoricalCrossentropy: 'classes',
  squaredHinge: 'numbers',
} as const;

export const optimizers = ['sgd', 'momentum', 'rmsprop', 'adam', 'adamax', 'adagrad', 'adadelta'] as const;
