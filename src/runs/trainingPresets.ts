// Published recipes: a model with all that decides how it is trained.
import { presetSpec } from '../model/presets.js';
import { stages } from '../schedule/stages.js';
import type { PartialRunConfig } from './runConfig.js';

export const TRAINING_PRESET_NAMES = ['iwae-paper'] as const;
export type TrainingPresetName = (typeof TRAINING_PRESET_NAMES)[number];

const PRESETS: Readonly<Record<TrainingPresetName, PartialRunConfig>> = {
  /** Burda et al. 2016 (arXiv:1509.00519), section 5, with one stochastic layer; K = 5 of their 1, 5, 50. */
  'iwae-paper': {
    // The images' size changes nothing in a dense model's specification.
    model: presetSpec('iwae', [28, 28, 1]),
    binarize: 'dynamic',
    batchSize: 20,
    samples: 5,
    objective: 'iwae',
    optimizer: 'adam',
    adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-4 },
    learningRate: 1e-3,
    learningRateSchedule: 'stages',
    epochs: stages.stages!.epochs(stages.stages!.most),
  },
};

/** A config for a new run. */
export function trainingPreset(name: TrainingPresetName): PartialRunConfig {
  return PRESETS[name];
}
