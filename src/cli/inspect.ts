import { AVERAGE } from '../optimizer/averaging.js';
import { printable } from '../printable.js';
import { fieldWords, objectiveWords } from '../runs/hyperparameters.js';
import { choiceOf, describeChoice, type SeamField } from '../runs/seams.js';
import { defineCommand, given } from './command.js';
import { ExitCode } from './exitCode.js';
import { printJson, printPage, printWarnings } from './output.js';
import { outputFlags, runArgument } from './sharedFlags.js';

export const inspectCommand = defineCommand({
  name: 'inspect',
  summary: 'Show what a checkpoint holds: config, step, SHA-256 of the parameters, layers',
  positionals: runArgument,
  flags: outputFlags,
  examples: [
    ['lowerbound inspect runs/cvae-1', "The run's newest checkpoint"],
    ['lowerbound inspect runs/cvae-1 --json', 'For machines; config and parameter table in full'],
  ],
  async execute({ run, json }) {
    const [{ findCheckpoint }, { parameterHash }, { modelOfConfig }, { describeModel }] = await Promise.all([
      import('../coordinator/loadModel.js'),
      import('../runs/checkpoint.js'),
      import('../runs/configModel.js'),
      import('../model/describe.js'),
    ]);
    const { path, checkpoint, warnings } = await findCheckpoint(run);
    printWarnings(warnings);
    const { config, step } = checkpoint;
    const model = modelOfConfig(config);
    const parametersSha256 = parameterHash(checkpoint.parameters);
    const averaged = checkpoint.optimizerState.get(AVERAGE);
    const averageSha256 = averaged && parameterHash(averaged);
    const average =
      averageSha256 === undefined
        ? []
        : [
            `Average        ${fieldWords('emaDecay', config.emaDecay)}; its SHA-256:`,
            `               ${averageSha256}`,
          ];
    if (json) {
      const parameters = model.parameters.entries.map(({ name, shape }) => ({ name, shape }));
      printJson({ path, step, parametersSha256, ...given({ averageSha256 }), config, parameters });
      return ExitCode.done;
    }
    const { data } = config;
    const chosen = (field: SeamField) => describeChoice(field, choiceOf(config, field));
    const objective = choiceOf(config, 'objective').name;
    const draws = objective === 'elbo' && config.samples > 1 ? ' (draws averaged)' : '';
    // The preset's name promises the other objective.
    const notIwae =
      config.model.name === 'iwae' && objective !== 'iwae' ? ' (not the importance-weighted bound)' : '';
    const estimator = config.estimator === undefined ? '' : `, gradient ${chosen('estimator')}`;
    const inference = config.inference === undefined ? [] : [`Decoder by     ${chosen('inference')}`];
    const prior = config.prior === undefined ? [] : [`Prior          ${chosen('prior')}`];
    const clipping = config.clipNorm === undefined ? '' : `, ${fieldWords('clipNorm', config.clipNorm)}`;
    const schedule = config.learningRateSchedule === undefined ? '' : ` (${chosen('learningRateSchedule')})`;
    printPage(
      [
        `Checkpoint     ${path}`,
        `Step           ${step}`,
        // Both hashes in lines of 80 columns, so that no line of them is broken.
        `SHA-256        ${parametersSha256}`,
        `Data           ${printable(data.source)}, binarise ${config.binarize}`,
        `Data SHA-256   ${printable(data.fingerprint)}`,
        `Objective      ${chosen('objective')}, ${objectiveWords(config, { samples: draws })}${notIwae}${estimator}`,
        ...inference,
        `Batches        ${config.batchSize} examples in ${config.shards} shards, ${config.epochs} epochs`,
        `Likelihood     ${chosen('likelihood')}`,
        ...prior,
        `Optimizer      ${chosen('optimizer')}, ${fieldWords('learningRate', config.learningRate)}${schedule}${clipping}`,
        ...average,
        `Seed           ${config.seed}`,
        `Arithmetic     ${config.arithmetic} (backend ${config.backend})`,
        '',
        describeModel(model),
      ].join('\n'),
    );
    return ExitCode.done;
  },
});
