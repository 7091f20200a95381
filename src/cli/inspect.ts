import { choiceOf, describeChoice, type SeamField } from '../runs/seams.js';
import { defineCommand } from './command.js';
import { ExitCode } from './exitCode.js';
import { printJson, printLine } from './output.js';
import { klWord, outputFlags, runArgument } from './sharedFlags.js';

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
    const [{ findCheckpoint }, { parameterHash }, { resolveModel }, { describeModel }] = await Promise.all([
      import('../coordinator/loadModel.js'),
      import('../coordinator/checkpoint.js'),
      import('../model/resolve.js'),
      import('../model/describe.js'),
    ]);
    const { path, checkpoint } = await findCheckpoint(run);
    const { config, step } = checkpoint;
    const model = resolveModel(config.model, { latent: config.latent });
    const parametersSha256 = parameterHash(checkpoint.parameters);
    if (json) {
      const parameters = model.parameters.entries.map(({ name, shape }) => ({ name, shape }));
      printJson({ path, step, parametersSha256, config, parameters });
      return ExitCode.done;
    }
    const { data } = config;
    const chosen = (field: SeamField) => describeChoice(field, choiceOf(config, field));
    const schedule = config.learningRateSchedule === undefined ? '' : ` (${chosen('learningRateSchedule')})`;
    const warmup = config.klWarmupEpochs === 0 ? '' : `, rising over ${config.klWarmupEpochs} epochs`;
    printLine(
      [
        `Checkpoint     ${path}`,
        `Step           ${step}`,
        `Parameters     SHA-256 ${parametersSha256}`,
        `Data           ${data.source} (training images ${data.fingerprint}), binarise ${config.binarize}`,
        `Objective      ${chosen('objective')}, K = ${config.samples}, KL ${klWord(config.kl)}, beta ${config.beta}${warmup}`,
        `Batches        ${config.batchSize} examples in ${config.shards} shards, ${config.epochs} epochs`,
        `Likelihood     ${chosen('likelihood')}`,
        `Optimizer      ${chosen('optimizer')}, learning rate ${config.learningRate}${schedule}`,
        `Seed           ${config.seed}`,
        `Arithmetic     ${config.arithmetic} (backend ${config.backend})`,
        '',
        describeModel(model),
      ].join('\n'),
    );
    return ExitCode.done;
  },
});
