import { type Address, plus } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import { Purpose } from '../kernels/stream.js';
import type { Model } from '../model/model.js';
import { refinementOf } from '../objective/inferences/registry.js';
import type { RankRegions, RunLayout } from './runLayout.js';
import type { Settings } from './settings.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const WORD = Uint32Array.BYTES_PER_ELEMENT;

/** The mode of the binarize kernel. */
export const BINARIZE_MODE = { none: 0, threshold: 1, dynamic: 2, static: 2 } as const;

/** Where a run's images are, and what decides how they and their noise are drawn. */
export interface InputSource {
  readonly layout: RunLayout;
  readonly model: Model;
  readonly settings: Settings;
}

/** Images, and of each example where it is among them, and its number, which decides its draws. */
interface ImagePlaces {
  readonly pixels: Address;
  readonly places: Address;
  readonly order: Address;
}

/** Fills the buffers of a rank with examples and their noise: the same ones whichever rank asks. */
export class ShardInput {
  readonly #kernels: Kernels;
  readonly #source: InputSource;
  readonly #regions: RankRegions;

  constructor(kernels: Kernels, source: InputSource, regions: RankRegions) {
    this.#kernels = kernels;
    this.#source = source;
    this.#regions = regions;
  }

  /**
   * Training examples [first, first + count) of the epoch's order, and the noise of places
   * [place, place + count) of the step's batch.
   */
  loadTraining(first: number, count: number, place: number, step: number, epoch: number): void {
    const { layout, settings } = this.#source;
    const fixed = settings.binarize === 'static';
    const purpose = fixed ? Purpose.staticBinarization : Purpose.trainingBinarization;
    const images = { pixels: layout.trainPixels, places: layout.trainPlaces, order: layout.order };
    this.#loadImages(images, first, count, fixed ? 0 : epoch, purpose);
    this.#loadNoise(count, place, step, Purpose.trainingNoise);
    this.#loadTransitions(count, place, step);
  }

  /** Test examples [first, first + count) and their noise, the same at every call. */
  loadTest(first: number, count: number): void {
    const { layout } = this.#source;
    const purpose = Purpose.evaluationBinarization;
    const images = { pixels: layout.testPixels, places: layout.testOrder, order: layout.testOrder };
    this.#loadImages(images, first, count, 0, purpose);
    this.#loadNoise(count, first, 0, Purpose.evaluationNoise);
  }

  #loadImages(
    { pixels, places, order }: ImagePlaces,
    first: number,
    count: number,
    step: number,
    purpose: number,
  ): void {
    const { model, settings } = this.#source;
    this.#kernels.binarize({
      mode: BINARIZE_MODE[settings.binarize],
      pixels,
      places: plus(places, first * WORD),
      order: plus(order, first * WORD),
      rows: count,
      dimensions: model.dimensions,
      out: this.#regions.x,
      key0: settings.key.low,
      key1: settings.key.high,
      step,
      purpose,
      scratch: this.#regions.scratch,
    });
  }

  #loadNoise(count: number, position: number, step: number, purpose: number): void {
    this.#normal(this.#regions.epsilon, count, position, step, purpose);
  }

  /** Where draws are refined, what the transitions of the step take. */
  #loadTransitions(count: number, place: number, step: number): void {
    const { refinement: places, scratch } = this.#regions;
    if (places === undefined) return;
    const { layout, model, settings } = this.#source;
    const { transitions } = refinementOf(settings.inference)!;
    const [momenta, uniforms] = [settings.samples * model.latent, 2 * settings.samples];
    for (let transition = 0; transition < transitions; transition++) {
      const example = transition * layout.examplesAtOnce;
      const index = step * transitions + transition;
      const target = plus(places.momenta, example * momenta * FLOAT);
      this.#normal(target, count, place, index, Purpose.trainingMomentum);
      for (let i = 0; i < count; i++) {
        this.#kernels.randomUniform({
          out: plus(places.uniforms, (example + i) * uniforms * FLOAT),
          ...{ count: uniforms, low: 0, high: 1, key0: settings.key.low, key1: settings.key.high },
          ...{ position: place + i, step: index, purpose: Purpose.trainingAcceptance, scratch },
        });
      }
    }
  }

  /** A row of K draws of z for each of `count` places. */
  #normal(out: Address, count: number, position: number, step: number, purpose: number): void {
    const { model, settings } = this.#source;
    this.#kernels.randomNormal({
      out,
      rows: count,
      count: settings.samples * model.latent,
      key0: settings.key.low,
      key1: settings.key.high,
      position,
      step,
      purpose,
      scratch: this.#regions.scratch,
    });
  }
}
