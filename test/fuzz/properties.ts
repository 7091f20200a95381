import { checkpointProperties } from './checkpoints.js';
import { commandLineProperties } from './commandLines.js';
import { dataProperties } from './dataFiles.js';
import { documentProperties } from './documents.js';
import { metricsProperties } from './metrics.js';
import type { Property } from './property.js';

export const properties: readonly Property[] = [
  ...dataProperties,
  ...checkpointProperties,
  ...documentProperties,
  ...metricsProperties,
  ...commandLineProperties,
];
