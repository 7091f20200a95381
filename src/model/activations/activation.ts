import type { Address } from '../../kernels/address.js';
import type { Kernels } from '../../kernels/kernels.js';
import type { JsonReader } from '../jsonReader.js';

/** Numbers that an activation is given besides its input, by name: e.g. a slope. */
export type Settings = Readonly<Record<string, number>>;

/** No settings. */
export type NoSettings = Readonly<Record<never, number>>;

/** What JSON may set, and what holds where it does not. */
interface Setting {
  readonly read: JsonReader<number>;
  readonly default: number;
}

interface Traits<S extends Settings> {
  /** The stem of a layer's default name, as Keras calls it. */
  readonly stem: string;
  /** What it computes, for editors. */
  readonly describe: string;
  readonly settings: { readonly [K in keyof S]: Setting };
  /** Share of the outputs that may be expected not to be zero. */
  readonly density: number;
  /** Whether it maps 0 to 0, so that it may run over the zeros around a map. */
  readonly keepsZero: boolean;
  /** Whether the GEMM before it can do it on its way to memory. */
  readonly inEpilogue?: true;
}

/** In place: the gradient is a function of the output. Kernels: see assembly/activations. */
export interface InPlaceActivation<S extends Settings> extends Traits<S> {
  readonly gradientNeeds: 'output';
  /** y → f(y), `count` floats. */
  forward(kernels: Kernels, y: Address, count: number, settings: S): void;
  /** dy → dy · f′, given the output y. */
  backward(kernels: Kernels, y: Address, dy: Address, count: number, settings: S): void;
}

/** Not in place: the gradient needs the input, which therefore stays where it is. */
export interface SeparateActivation<S extends Settings> extends Traits<S> {
  readonly gradientNeeds: 'input';
  /** y = f(x), `count` floats. */
  forward(kernels: Kernels, x: Address, y: Address, count: number, settings: S): void;
  /** dx = dy · f′(x). */
  backward(kernels: Kernels, x: Address, dy: Address, dx: Address, count: number, settings: S): void;
}

/**
 * An elementwise function: all that the model and the simd backend know of it. Its formulas are in
 * docs/mathematics.md.
 */
export type Activation<S extends Settings = NoSettings> = InPlaceActivation<S> | SeparateActivation<S>;
