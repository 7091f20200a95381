// What of tf.layers cannot be compared with the backend `cpu`, or does not work, each with an example: the
// test of random stacks draws another stack where one applies, and fails where one is no longer needed.

import { allLayers, type LayerSpec, type Stack } from './stack.js';

export interface StackException {
  readonly layer: string;
  readonly when: string;
  /** What upstream does wrong. */
  readonly reason: string;
  /**
   * `cpu`: TensorFlow.js's backend `cpu` fails or is wrong, and ours is right. `both`: it fails on both
   * backends, so that users meet it.
   */
  readonly side: 'cpu' | 'both';
  /** Where users meet it. */
  readonly wayAround?: string;
  /** Whether random stacks must avoid it; never where the generator does not draw it. */
  applies(layer: LayerSpec, stack: Stack): boolean;
  /** A stack that fails. */
  readonly example: Stack;
}

const has = (options: LayerSpec['options'], name: string) =>
  options[name] !== undefined && options[name] !== 1;
const conv2d = (filters: number): LayerSpec => ({ layer: 'conv2d', options: { filters, kernelSize: 1 } });

export const STACK_EXCEPTIONS: readonly StackException[] = [
  ...['conv1d', 'conv2d', 'separableConv2d'].map(
    (layer): StackException => ({
      layer,
      when: '`dilationRate` above 1',
      reason: 'the backend cpu refuses the gradient',
      side: 'cpu',
      applies: (spec) => spec.layer === layer && has(spec.options, 'dilationRate'),
      example: {
        batchShape: layer === 'conv1d' ? [1, 5, 2] : [1, 5, 5, 2],
        layers: [
          layer === 'conv1d' ? { layer: 'dense', options: { units: 2 } } : conv2d(2),
          {
            layer,
            options: {
              filters: 1,
              kernelSize: 2,
              dilationRate: 2,
            },
          },
        ],
      },
    }),
  ),
  ...['resizing', 'upSampling2d'].map(
    (layer): StackException => ({
      layer,
      when: 'always',
      reason: 'the gradients of resampling are wrong on the backend cpu, refused, or do not come to an end',
      side: 'cpu',
      applies: (spec) => spec.layer === layer,
      example: {
        batchShape: [2, 4, 3, 2],
        layers: [
          conv2d(2),
          {
            layer,
            options:
              layer === 'resizing'
                ? { height: 5, width: 4, interpolation: 'nearest' }
                : { size: [2, 2], interpolation: 'nearest' },
          },
        ],
      },
    }),
  ),
  {
    layer: 'layerNormalization',
    when: '`center: false` or `scale: false`',
    reason: 'the layer passes on a weight that it has not made',
    side: 'both',
    wayAround: 'leave both on',
    applies: ({ layer, options }) =>
      layer === 'layerNormalization' && (options.center === false || options.scale === false),
    example: { batchShape: [2, 3], layers: [{ layer: 'layerNormalization', options: { center: false } }] },
  },
  {
    layer: 'layerNormalization',
    when: 'five axes, the batch included',
    reason: 'the layer calls batchNorm, which takes four axes',
    side: 'both',
    wayAround: '`reshape` before and after it',
    applies: (spec, { batchShape }) => spec.layer === 'layerNormalization' && batchShape.length > 4,
    example: { batchShape: [1, 2, 2, 2, 2], layers: [{ layer: 'layerNormalization', options: {} }] },
  },
  {
    layer: 'batchNormalization',
    when: 'an axis other than the last',
    reason: 'the backend cpu refuses the gradient',
    side: 'cpu',
    applies: ({ layer, options }) => layer === 'batchNormalization' && options.axis !== -1,
    example: {
      batchShape: [2, 3, 3, 2],
      layers: [conv2d(2), { layer: 'batchNormalization', options: { axis: 1 } }],
    },
  },
  {
    layer: 'maxPooling3d',
    when: 'windows that are no cubes',
    reason: 'the gradient is wrong on the backend cpu',
    side: 'cpu',
    applies: ({ layer, options }) =>
      /^maxPool.*3d$/.test(layer) && new Set(options.poolSize as number[]).size > 1,
    example: {
      batchShape: [2, 4, 4, 2, 2],
      layers: [
        { layer: 'dense', options: { units: 3 } },
        { layer: 'maxPooling3d', options: { poolSize: [1, 3, 2] } },
      ],
    },
  },
  ...[2, 3].map(
    (axes): StackException => ({
      layer: `averagePooling${axes}d`,
      when: 'windows that reach over the border (`padding: "same"`)',
      reason: 'the gradient is wrong on the backend cpu',
      side: 'cpu',
      applies: ({ layer, options }) =>
        new RegExp(`^(avg|average)Pool.*${axes === 2 ? '[12]' : '3'}d$`).test(layer) &&
        options.padding === 'same',
      example: {
        batchShape: [2, ...Array(axes).fill(4), 2],
        layers: [
          { layer: 'dense', options: { units: 3 } },
          { layer: `averagePooling${axes}d`, options: { poolSize: 3, strides: 1, padding: 'same' } },
        ],
      },
    }),
  ),
  {
    layer: 'categoryEncoding',
    when: 'in a model',
    reason: 'the layer changes the shape of its input while it works out that of its output',
    side: 'both',
    wayAround: '`tf.oneHot`, or a sum of it, before the model',
    applies: ({ layer }) => layer === 'categoryEncoding',
    example: {
      batchShape: [2, 4],
      vocabulary: 5,
      layers: [{ layer: 'categoryEncoding', options: { numTokens: 5, outputMode: 'multiHot' } }],
    },
  },
  {
    layer: 'softmax',
    when: 'behind a mask (`masking`, `maskZero`)',
    reason: 'the layer adds the mask without an axis for the features',
    side: 'both',
    wayAround: '`activation: "softmax"`',
    applies: ({ layer }, { layers }) =>
      layer === 'softmax' &&
      layers.some((other) => other.layer === 'masking' || other.options.maskZero === true),
    example: {
      batchShape: [2, 5, 2],
      layers: [
        { layer: 'masking', options: { maskValue: 0 } },
        { layer: 'softmax', options: { axis: -1 } },
      ],
    },
  },
  {
    layer: 'softmax',
    when: 'no `axis`, more than two axes',
    reason: 'its default axis is 1, and only the last one works',
    side: 'both',
    wayAround: '`axis: -1`',
    applies: () => false,
    example: { batchShape: [2, 3, 2], layers: [{ layer: 'softmax', options: {} }] },
  },
  {
    layer: 'elu',
    when: '`alpha` other than 1',
    reason: 'the layer refuses it',
    side: 'both',
    wayAround: "a layer of one's own",
    applies: () => false,
    example: { batchShape: [2, 3], layers: [{ layer: 'elu', options: { alpha: 0.5 } }] },
  },
  {
    layer: 'randomWidth',
    when: 'always',
    reason: 'the shape of its output lacks the batch',
    side: 'both',
    wayAround: 'resize images before the model',
    applies: ({ layer }) => layer === 'randomWidth',
    example: {
      batchShape: [2, 4, 4, 2],
      layers: [
        { layer: 'randomWidth', options: { factor: 0.3, seed: 3 } },
        { layer: 'globalAveragePooling2d', options: {} },
      ],
    },
  },
];

/** The first exception that applies to a layer of the stack, those in wrappers included. */
export function exceptionOf(stack: Stack): StackException | undefined {
  const layers = allLayers(stack.layers);
  return STACK_EXCEPTIONS.find(({ applies }) => layers.some((layer) => applies(layer, stack)));
}
