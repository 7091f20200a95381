// The figures of a comparison of estimators in words, and as a picture.
import type { EstimatorComparison, EstimatorFigures } from '../inference/estimatorComparison.js';
import { objectiveOf } from '../objective/registry.js';
import { dotRows } from '../report/picture.js';
import { formatCount } from '../report/quantity.js';
import type { ComparedEstimators } from './compareEstimators.js';
import { type PictureSource, pictureText } from './pictureText.js';

/** One estimator. */
export interface EstimatorRow {
  readonly name: string;
  readonly variance: string;
  /** To the first one's. */
  readonly ratio: string;
  /** As a share of the squared gradient, with its standard error. */
  readonly squaredBias: string;
}

/** The figures in words, a row for each. */
export function estimatorRows({ figures, squaredNorm }: EstimatorComparison): readonly EstimatorRow[] {
  return figures.map((row) => {
    const { variance, squaredBias } = row;
    const share = (value: number) => rounded(value / squaredNorm.value, 2);
    return {
      name: nameOf(row, figures),
      variance: rounded(variance.value, 3),
      ratio: rounded(variance.value / figures[0]!.variance.value, 3),
      squaredBias:
        squaredBias === undefined
          ? 'none'
          : `${share(squaredBias.value)} ± ${share(squaredBias.standardError)}`,
    };
  });
}

/** To so many digits: 0.0123, 716, 7.55e6. */
function rounded(value: number, digits: number): string {
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 10 ** digits) return value.toPrecision(digits);
  if (size >= 10 ** digits && size < 1e5) return String(Number(value.toPrecision(digits)));
  return value.toExponential(digits - 1).replace('e+', 'e');
}

/** With its KL, where the same estimator has several. */
function nameOf({ estimator, kl }: EstimatorFigures, all: readonly EstimatorFigures[]): string {
  if (all.filter((other) => other.estimator === estimator).length === 1) return estimator;
  return `${estimator}, ${kl === 'analytic' ? 'analytic' : 'Monte-Carlo'} KL`;
}

/** Variances on a logarithmic axis, with the squared biases beside them; a PNG. */
export function estimatorPicture(compared: ComparedEstimators, source: PictureSource): Promise<Uint8Array> {
  const { protocol, figures } = compared;
  const { objective, samples, beta, examples, draws } = protocol;
  const count = examples.end - examples.first;
  const what = [
    objectiveOf(objective).title,
    `K = ${samples}`,
    ...(beta === 1 ? [] : [`beta ${beta}`]),
    `${formatCount(count)} test ${count === 1 ? 'image' : 'images'}`,
    `${formatCount(draws)} draws`,
  ];
  const words = estimatorRows(compared);
  return dotRows(
    figures.map(({ variance }, i) => ({
      label: words[i]!.name,
      value: variance.value,
      error: variance.standardError,
      texts: [words[i]!.variance, words[i]!.squaredBias],
    })),
    {
      ...pictureText(`Variance of the encoder's gradient: ${what.join(', ')}`, source),
      xLabel: 'variance of the gradient, nats² (line: ± standard error)',
      columns: ['variance', 'bias² / gradient²'],
    },
  );
}
