import { type Address, NONE, plus } from '../kernels/address.js';
import type { Arena } from '../kernels/arena.js';

/** [height, width, channels]. */
export type MapShape = readonly [number, number, number];

/** Zero pixels that some reader of a map needs around it. */
export interface Border {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/**
 * One activation, its gradient, and the zero border that both have. [batch, height, width, channels].
 *
 * Neighbouring rows share a border column (what lies right of one row lies left of the next), and
 * neighbouring images share border rows: so a border costs max(left, right) columns, not their sum. Borders
 * are zero because fresh memory is zero and no kernel writes to them.
 */
export class Tensor {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  #activation: Address = NONE;
  #gradient: Address = NONE;

  /** @param border another tensor's, which then is the same for both, so that both have the same strides. */
  constructor(
    readonly shape: MapShape,
    readonly border: Border = { top: 0, bottom: 0, left: 0, right: 0 },
  ) {
    [this.height, this.width, this.channels] = shape;
  }

  static of(shape: readonly number[]): Tensor {
    return new Tensor(mapShape(shape));
  }

  get size(): number {
    return this.height * this.width * this.channels;
  }

  get bordered(): boolean {
    const { top, bottom, left, right } = this.border;
    return top + bottom + left + right > 0;
  }

  /** Grows the border to what another reader needs. */
  require(border: Border): void {
    this.border.top = Math.max(this.border.top, border.top);
    this.border.bottom = Math.max(this.border.bottom, border.bottom);
    this.border.left = Math.max(this.border.left, border.left);
    this.border.right = Math.max(this.border.right, border.right);
  }

  /** Address of pixel (0, 0) of image 0 of the activation. */
  get activation(): Address {
    return this.#activation;
  }

  /** The same of its gradient. */
  get gradient(): Address {
    return this.#gradient;
  }

  /** Bytes from pixel to pixel. */
  get pixelStride(): number {
    return this.channels * FLOAT;
  }

  /** Bytes from row to row. */
  get rowStride(): number {
    return (this.width + Math.max(this.border.left, this.border.right)) * this.pixelStride;
  }

  /** Bytes from image to image. */
  get imageStride(): number {
    return (this.height + Math.max(this.border.top, this.border.bottom)) * this.rowStride;
  }

  /** Bytes from pixel (0, 0) of image 0 to pixel (y, x) of another. */
  offset(image: number, y: number, x: number): number {
    return image * this.imageStride + y * this.rowStride + x * this.pixelStride;
  }

  /** Floats from pixel (0, 0) of the first image to behind the last pixel, borders between them included. */
  span(images: number): number {
    return (images * this.imageStride) / FLOAT;
  }

  allocate(arena: Arena, images: number): void {
    this.#activation = this.#place(arena, images);
    this.#gradient = this.#place(arena, images);
  }

  /** Takes the memory of a tensor of the same size; neither may have a border. */
  alias(other: Tensor): void {
    this.#activation = other.activation;
    this.#gradient = other.gradient;
  }

  /** Takes the activation of a tensor of the same shape and border, with a gradient of its own. */
  shareActivation(other: Tensor, arena: Arena, images: number): void {
    this.#activation = other.activation;
    this.#gradient = this.#place(arena, images);
  }

  #place(arena: Arena, images: number): Address {
    const lead = this.border.top * this.rowStride + this.border.left * this.pixelStride;
    const tail = this.border.bottom * this.rowStride + this.border.right * this.pixelStride;
    // One more float vector: elementwise kernels write whole vectors.
    return plus(arena.reserve(lead + this.span(images) * FLOAT + tail + 16), lead);
  }
}

/** A vector is a map of one pixel. */
export function mapShape(shape: readonly number[]): MapShape {
  if (shape.length === 3) return [shape[0]!, shape[1]!, shape[2]!];
  return [1, 1, shape.reduce((product, n) => product * n, 1)];
}
