import type { ImageInference } from '../coordinator/infer.js';
import type { LoadedModel } from '../coordinator/loadModel.js';
import { UsageError } from '../errors.js';
import { printable } from '../printable.js';
import { defineCommand, given } from './command.js';
import { ExitCode } from './exitCode.js';
import { choice, exampleRange, filePath, indexList, inGroup, wholeNumber } from './flags.js';
import { untilInterrupted } from './interruption.js';
import { optionFlag } from './optionFlags.js';
import { printJson, printLine, printWarnings } from './output.js';
import { outFlag, writePicture } from './pictureFile.js';
import { checkpointLines } from './protocolWords.js';
import { dataFlag, emaFlag, outputFlags, processFlags, processValues, runArgument } from './sharedFlags.js';

const EXAMPLES = { first: 0, end: 8 } as const;

export const inferCommand = defineCommand({
  name: 'infer',
  summary: "Sample the posterior p(z|x) of test images, and compare it with the encoder's q(z|x)",
  positionals: runArgument,
  flags: {
    method: choice(
      { hmc: 'hmc', variational: 'variational' },
      {
        describe: 'hmc: p(z|x) by Hamiltonian Monte Carlo. variational: draws from q(z|x)',
        default: 'hmc',
      },
    ),
    examples: exampleRange({
      describe: 'Test images FIRST:END, counted from 0, without END',
      default: `${EXAMPLES.first}:${EXAMPLES.end}`,
    }),
    image: indexList({
      describe: 'Instead of a range, the places of images in the test set, separated by commas',
      default: 'the range of --examples',
    }),
    chains: wholeNumber(1, { most: 1000, describe: 'Markov chains of an image', default: '4' }),
    warmup: wholeNumber(2, {
      describe: 'Transitions of a chain before its draws, which adapt the step size',
      default: '200',
    }),
    draws: wholeNumber(16, { describe: 'Draws of each chain', default: '500' }),
    'leapfrog-steps': wholeNumber(1, { describe: 'Leapfrog steps of a transition', default: '5' }),
    seed: optionFlag('seed', {
      describe: 'Seed of the draws and of drawn pixels: unsigned, 64 bits',
      default: "the run's",
    }),
    data: dataFlag('images of its test set are used'),
    workers: optionFlag('workers', { default: 'all cores' }),
    npy: filePath('.npy', {
      describe: 'Write the draws to this NumPy file: float32, [images, chains, draws, latent]',
      default: 'none',
    }),
    out: outFlag('posterior'),
    ...emaFlag,
    ...inGroup('Processes:', processFlags),
    ...outputFlags,
  },
  examples: [
    ['lowerbound infer runs/cvae-1', 'The posterior of the first eight test images, by 4 chains of HMC'],
    [
      'lowerbound infer runs/cvae-1 --image 3,7 --draws 2000 --npy draws.npy',
      'Two images, more draws, kept in a file',
    ],
    ['lowerbound infer runs/cvae-1 --method variational', 'Draws from q(z|x), which the encoder gives'],
  ],
  async execute(values) {
    const { run, json, out, data, ema, npy, method = 'hmc', image, examples } = values;
    const images = chosenImages(image, examples);
    const [infer, { loadedModel }, { samplingProgress }, { hasLeader }] = await Promise.all([
      import('../coordinator/infer.js'),
      import('../coordinator/loadModel.js'),
      import('./evaluationProgress.js'),
      import('../coordinator/launched.js'),
    ]);
    const { chains, warmup, draws, 'leapfrog-steps': leapfrogSteps, seed, workers } = values;
    const processes = processValues(values);
    // Where several processes work together, the first one speaks.
    const isSilent = hasLeader(processes);
    const progress = samplingProgress({ json: json === true, isSilent });
    const { result: found, exitCode } = await untilInterrupted(progress, (signal) =>
      infer.inferImages({
        path: run,
        images,
        method,
        // A picture that cannot be drawn is refused before minutes of sampling.
        pictured: out !== undefined,
        onProgress: progress.update,
        signal,
        ...given({ data, ema, chains, warmup, draws, leapfrogSteps, seed, workers }),
        ...processes,
      }),
    );
    const { images: inferred } = found;
    const stopped = inferred.length < images.length;
    if (isSilent) return stopped ? exitCode : ExitCode.done;
    printWarnings(found.warnings);
    if (stopped) {
      printWarnings([`Stopped: ${inferred.length} of ${images.length} images are done.`]);
      if (inferred.length === 0) return exitCode;
    }
    const loaded = loadedModel(found);
    const { latent } = loaded.model.model;
    const { values: all, shape } = infer.stackDraws(inferred, latent);
    const protocol = protocolOf(loaded, {
      ...infer.POSTERIOR_DEFAULTS,
      ...given({ warmup, leapfrogSteps }),
      method,
      seed: seed ?? loaded.config.seed,
      shape,
    });
    if (json) for (const one of inferred) printJson(figuresOf(one));
    else printLine([...inferred.map(table), protocol].join('\n\n'));
    const stuck = inferred.filter(({ draws: { markov } }) => worstRHat(markov?.dimensions) > MIXED);
    if (stuck.length > 0) printWarnings([stuckWords(stuck.map(({ image: place }) => place))]);
    if (npy !== undefined) {
      const [{ writeFileAtomic }, { encodeNpy }] = await Promise.all([
        import('../runs/atomicFile.js'),
        import('../runs/npy.js'),
      ]);
      await writeFileAtomic(npy, encodeNpy(all, shape));
      if (json) printJson({ path: npy, shape });
      else printLine(npy);
    }
    if (latent === 2 && (out !== undefined || images.length <= infer.MOST_PANELS)) {
      const png = await infer.posteriorPicture(loaded, loaded, inferred, method);
      await writePicture(png, { run, loaded, name: 'posterior', out, json });
    }
    return stopped ? exitCode : ExitCode.done;
  },
});

function chosenImages(
  image: readonly number[] | undefined,
  examples: { readonly first: number; readonly end: number } | undefined,
): readonly number[] {
  if (image !== undefined && examples !== undefined) {
    throw new UsageError('--image and --examples both say which test images: leave one of them out.');
  }
  const { first, end } = examples ?? EXAMPLES;
  return image ?? Array.from({ length: end - first }, (_, i) => first + i);
}

/** Vehtari et al. 2021. */
const MIXED = 1.01;

/** NaN, where a draw is not finite, counts as the worst. */
function worstRHat(dimensions: readonly { readonly rHat: number }[] = []): number {
  return Math.max(0, ...dimensions.map(({ rHat }) => (Number.isNaN(rHat) ? Number.POSITIVE_INFINITY : rHat)));
}

function stuckWords(images: readonly number[]): string {
  const shown = images.slice(0, 8).join(', ');
  const which = images.length === 1 ? `test image ${shown}` : `test images ${shown}`;
  return (
    `The chains of ${which}${images.length > 8 ? ', …' : ''} have not mixed: R-hat is above ${MIXED}. ` +
    'Take more of --warmup and --draws.'
  );
}

const COLUMNS = ['', 'mean', 'q mean', 'sd', 'q sd'] as const;
const CHAIN_COLUMNS = ['± of mean', 'R-hat', 'bulk ESS', 'tail ESS'] as const;

/** A line for each latent dimension, beside what the encoder says. */
function table({ image, class: label, q, draws }: ImageInference): string {
  const { mean, deviation, markov, z } = draws;
  const latent = mean.length;
  const title = `Test image ${image}${label === undefined ? '' : `, class ${label}`}`;
  const how =
    markov === undefined
      ? `${(z.length / latent).toLocaleString('en-US')} draws from q(z|x)`
      : `acceptance ${markov.acceptance.toFixed(2)}, step size ${markov.stepSize.toPrecision(2)}`;
  const rows = Array.from(mean, (value, j) => [
    `z${j + 1}`,
    ...[value, q.mu[j]!, deviation[j]!, Math.exp(q.logvar[j]! / 2)].map((number) => number.toFixed(4)),
    ...(markov === undefined ? [] : chainCells(markov.dimensions[j]!)),
  ]);
  const heads = markov === undefined ? COLUMNS : [...COLUMNS, ...CHAIN_COLUMNS];
  const lines = [heads, ...rows].map((cells) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(4) : cell.padStart(i < 5 ? 9 : 10))).join(''),
  );
  return [`${title}: ${how}`, ...lines].join('\n');
}

function chainCells({ meanError, rHat, bulkEss, tailEss }: DimensionFigures): string[] {
  return [meanError.toFixed(4), rHat.toFixed(4), bulkEss.toFixed(0), tailEss.toFixed(0)];
}

type DimensionFigures = NonNullable<ImageInference['draws']['markov']>['dimensions'][number];

function figuresOf({ image, class: label, q, draws: { mean, deviation, markov } }: ImageInference) {
  return {
    image,
    ...given({ class: label }),
    mean: [...mean],
    deviation: [...deviation],
    q: { mean: [...q.mu], deviation: Array.from(q.logvar, (value) => Math.exp(value / 2)) },
    ...markov,
  };
}

interface Protocol {
  readonly method: string;
  readonly seed: bigint | number | string;
  /** [images, chains, draws, latent]. */
  readonly shape: readonly number[];
  readonly warmup: number;
  readonly leapfrogSteps: number;
}

function protocolOf(loaded: LoadedModel, protocol: Protocol): string {
  const { config, path } = loaded;
  const { method, seed, shape, warmup, leapfrogSteps } = protocol;
  const [images, chains, draws] = shape;
  const sampling =
    method === 'hmc'
      ? `HMC, ${chains} chains of ${draws} draws after ${warmup}, ${leapfrogSteps} leapfrog steps`
      : `q(z|x), ${chains} × ${draws} draws`;
  return [
    `Protocol       ${printable(config.data.source)}, ${images} test image${images === 1 ? '' : 's'}, binarise ${config.binarize}, ` +
      `${sampling}, seed ${seed}`,
    ...checkpointLines({ checkpoint: path, ...loaded }),
  ].join('\n');
}
