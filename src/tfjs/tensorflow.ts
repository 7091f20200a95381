// What we use of TensorFlow.js 4, by structure: the library is handed in, never imported, so that it is one
// and the same as the user's.

import type { WasmMemory } from '../kernels/webAssembly.js';

/** A tensor as kernels see it. */
export interface TensorInfo {
  readonly dataId: object;
  /** Not changed once a kernel has returned it; TensorFlow.js's own type is mutable. */
  shape: number[];
  dtype: string;
}

/** What the backend `wasm` knows of a tensor's data. */
interface TensorData {
  readonly memoryOffset: number | null;
}

/** TensorFlow.js's backend `wasm`. */
export interface WasmBackend {
  readonly wasm: {
    /** The threaded binary has its memory beside its exports. */
    readonly asm?: { readonly memory?: WasmMemory };
    readonly wasmMemory?: WasmMemory;
    _malloc: (bytes: number) => number;
    _free: (address: number) => void;
  };
  readonly dataIdMap: { get(dataId: object): TensorData };
  makeOutput(shape: number[], dtype: string): TensorInfo;
  incRef(dataId: object): void;
  refCount(dataId: object): number;
  disposeData(dataId: object): boolean;
}

export type NamedTensors = Readonly<Record<string, TensorInfo | undefined>>;
export type Attributes = Readonly<Record<string, unknown>>;

export interface KernelArguments {
  readonly inputs: NamedTensors;
  readonly backend: object;
  readonly attrs?: Attributes;
}

export type KernelFunction = (args: KernelArguments) => TensorInfo | TensorInfo[];

export interface KernelConfig {
  readonly kernelName: string;
  readonly backendName: string;
  readonly kernelFunc: KernelFunction;
  readonly setupFunc?: (backend: object) => void;
  readonly disposeFunc?: (backend: object) => void;
}

/** What TensorFlow.js works out about a convolution or a pooling (its `backend_util.Conv2DInfo`). */
export interface WindowInfo {
  readonly batchSize: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly inChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly outChannels: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly padInfo: {
    readonly top: number;
    readonly bottom: number;
    readonly left: number;
    readonly right: number;
  };
}

/** The same of volumes (its `backend_util.Conv3DInfo`). */
export interface VolumeInfo extends Omit<WindowInfo, 'padInfo'> {
  readonly inDepth: number;
  readonly outDepth: number;
  readonly strideDepth: number;
  readonly dilationDepth: number;
  readonly filterDepth: number;
  readonly padInfo: { readonly front: number; readonly top: number; readonly left: number };
}

export interface GradientConfig {
  readonly kernelName: string;
  readonly inputsToSave?: readonly string[];
  readonly saveAllInputs?: boolean;
  readonly outputsToSave?: readonly boolean[];
  readonly gradFunc: (
    dy: TensorInfo,
    saved: readonly TensorInfo[],
    attrs: Attributes,
  ) => Record<string, () => unknown>;
}

/** What `tf.conv2d` takes. */
export type ConvolutionArguments = [
  x: unknown,
  filter: unknown,
  strides: unknown,
  pad: unknown,
  dataFormat?: unknown,
  dilations?: unknown,
  dimRoundingMode?: unknown,
];

/** What `tf.fused.conv2d` takes, as far as we look at it. */
export interface FusedConvolution {
  readonly x: unknown;
  readonly filter: unknown;
  readonly strides: unknown;
  readonly pad: unknown;
  readonly dataFormat?: unknown;
  readonly dilations?: unknown;
  readonly dimRoundingMode?: unknown;
  readonly bias?: unknown;
  readonly activation?: unknown;
}

/** The part of `@tensorflow/tfjs-core` (or of a package that exports it all) that our kernels need. */
export interface TensorFlow {
  readonly backend_util: {
    computeConv2DInfo(
      inShape: unknown,
      filterShape: unknown,
      strides: unknown,
      dilations: unknown,
      pad: unknown,
      roundingMode?: unknown,
      depthwise?: boolean,
    ): WindowInfo;
    computePool2DInfo(
      inShape: unknown,
      filterSize: unknown,
      strides: unknown,
      dilations: unknown,
      pad: unknown,
      roundingMode?: unknown,
    ): WindowInfo;
    computeConv3DInfo(
      inShape: unknown,
      filterShape: unknown,
      strides: unknown,
      dilations: unknown,
      pad: unknown,
    ): VolumeInfo;
    computePool3DInfo(
      inShape: unknown,
      filterSize: unknown,
      strides: unknown,
      dilations: unknown,
      pad: unknown,
      roundingMode?: unknown,
    ): VolumeInfo;
    decodeEinsumEquation(
      equation: string,
      operands: number,
    ): {
      /** Labels: those of the output first, then those that are summed over. */
      readonly allDims: string[];
      readonly summedDims: number[];
      /** For each operand its axes' places in `allDims`. */
      readonly idDims: number[][];
    };
    checkEinsumDimSizes(labels: number, idDims: number[][], operands: { readonly shape: number[] }[]): void;
  };
  readonly slice_util: {
    sliceInfo(
      shape: unknown,
      begin: unknown,
      end: unknown,
      strides: unknown,
      beginMask: unknown,
      endMask: unknown,
      ellipsisMask: unknown,
      newAxisMask: unknown,
      shrinkAxisMask: unknown,
    ): {
      readonly begin: number[];
      readonly end: number[];
      readonly strides: number[];
      readonly finalShape: number[];
    };
  };
  readonly Tensor: { readonly prototype: object };
  /** Where packages above tfjs-core register their classes, e.g. layers. */
  readonly serialization: {
    readonly SerializationMap: {
      getMap(): { readonly classNameMap: Readonly<Record<string, readonly unknown[]>> };
    };
  };
  readonly AdamOptimizer?: { readonly prototype: object };
  engine(): {
    readonly registeredVariables: Readonly<Record<string, unknown>>;
    /** `gradientDepth` is above 0 where a gradient is being recorded. */
    readonly state: { readonly gradientDepth: number };
    runKernel(kernelName: string, inputs: object, attrs?: object): unknown;
    tidy(run: () => void): unknown;
    readSync(dataId: object): unknown;
  };
  getBackend(): string;
  readonly fused: {
    conv2d(call: FusedConvolution): unknown;
    depthwiseConv2d(call: FusedConvolution): unknown;
  };
  conv2d(...call: ConvolutionArguments): unknown;
  depthwiseConv2d(...call: ConvolutionArguments): unknown;
  add(a: unknown, b: unknown): unknown;
  tensor1d(values: number[], dtype: 'int32' | 'float32'): TensorInfo;
  findBackendFactory(name: string): unknown;
  // Method syntax: TensorFlow.js's own types are narrower here (its DataType, its KernelConfig).
  getKernel(kernelName: string, backendName: string): unknown;
  getGradient(kernelName: string): unknown;
  registerGradient(config: unknown): void;
  unregisterGradient(kernelName: string): void;
  registerKernel(config: unknown): void;
  unregisterKernel(kernelName: string, backendName: string): void;
}
