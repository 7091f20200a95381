import { DEFAULT_BACKEND } from '../backends/backend.js';
import type { MeasuredVariant } from './measuredVariant.js';

/** Speeds that differ by less are taken as equal: as much as rounds differ on a quiet machine. */
const EQUAL = 0.02;

/** What a measurement lets one say. */
export interface Recommendation {
  /**
   * The fastest of the backend `simd`, or what a run takes by default where that is as fast; undefined where
   * the measurement does not tell.
   */
  readonly recommended: MeasuredVariant | undefined;
  /**
   * Those of `simd` that the measurement does not tell from the fastest one, this one included; the fastest
   * first.
   */
  readonly undecided: readonly MeasuredVariant[];
}

/**
 * A row is told from the fastest one where their distance, as a share of the fastest speed, is at least the
 * spread of either: else another measurement could find them the other way round.
 *
 * @param variants the fastest first; some are of the backend `simd`.
 */
export function recommend(variants: readonly MeasuredVariant[]): Recommendation {
  const ours = variants.filter(({ backend }) => backend === DEFAULT_BACKEND);
  const fastest = ours[0]!;
  const distance = (variant: MeasuredVariant) => 1 - variant.imagesPerSecond / fastest.imagesPerSecond;
  const undecided = ours.filter(
    (variant) => variant === fastest || distance(variant) < Math.max(variant.spread, fastest.spread),
  );
  if (undecided.length > 1) return { recommended: undefined, undecided };
  const usual = byDefault(ours);
  return { recommended: distance(usual) <= EQUAL ? usual : fastest, undecided: [] };
}

/** What `train` does without flags: all cores, fused and re-vectorised where that is possible. */
function byDefault(variants: readonly MeasuredVariant[]): MeasuredVariant {
  const rank = ({ arithmetic, revectorized, workers }: MeasuredVariant) =>
    (arithmetic === 'fused' ? 2000 : 0) + (revectorized ? 1000 : 0) + workers;
  return variants.reduce((best, variant) => (rank(variant) > rank(best) ? variant : best));
}
