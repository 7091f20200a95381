import { type AnnealingSettings, ais, bdmc } from './annealed.js';
import { type ElboSettings, elbo } from './elbo.js';
import type { Estimate, ExampleChunk, Figures } from './estimate.js';
import { type GapSettings, gaps } from './gaps.js';
import { type ImportanceSettings, importance } from './importance.js';
import { type PosteriorSettings, posterior } from './posterior.js';

/** The options of each estimate. They can be sent to a thread. */
interface OptionsOfEstimates {
  readonly elbo: ElboSettings;
  readonly importance: ImportanceSettings;
  readonly ais: AnnealingSettings;
  readonly bdmc: AnnealingSettings;
  readonly gaps: GapSettings;
  readonly posterior: PosteriorSettings;
}

export type EstimateName = keyof OptionsOfEstimates;

/** Those that are wanted. */
export type EstimateOptions = Partial<OptionsOfEstimates>;

const ESTIMATES: { readonly [K in EstimateName]: Estimate<OptionsOfEstimates[K]> } = {
  elbo,
  importance,
  ais,
  bdmc,
  gaps,
  posterior,
};

const NAMES = Object.keys(ESTIMATES) as EstimateName[];

/**
 * All that is wanted of a chunk; a figure's name is that of its estimate, a point, and its own.
 * @param onShare called now and then with the share of the work that is done, 0 to 1.
 */
export function estimateChunk(
  chunk: Omit<ExampleChunk, 'onWork'>,
  wanted: EstimateOptions,
  onShare: (share: number) => void = () => {},
): Figures {
  const total = NAMES.reduce((sum, name) => sum + workOf(name, wanted), 0) * chunk.positions.length;
  let done = 0;
  const onWork = (work: number) => {
    done += work;
    onShare(done / total);
  };
  const figures: Record<string, Float64Array> = {};
  for (const name of NAMES) {
    const found = figuresOf(name, { ...chunk, onWork }, wanted);
    for (const [figure, values] of Object.entries(found)) figures[`${name}.${figure}`] = values;
  }
  return figures;
}

function workOf<K extends EstimateName>(name: K, wanted: EstimateOptions): number {
  const options: OptionsOfEstimates[K] | undefined = wanted[name];
  const estimate: Estimate<OptionsOfEstimates[K]> = ESTIMATES[name];
  return options === undefined ? 0 : estimate.work(options);
}

function figuresOf<K extends EstimateName>(name: K, chunk: ExampleChunk, wanted: EstimateOptions): Figures {
  const options: OptionsOfEstimates[K] | undefined = wanted[name];
  const estimate: Estimate<OptionsOfEstimates[K]> = ESTIMATES[name];
  return options === undefined ? {} : estimate.figures(chunk, options);
}
