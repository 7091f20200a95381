import type { MeanTerms } from '../runs/meanTerms.js';
import type { RunConfig } from '../runs/runConfig.js';
import type { FinishReason } from './events.js';

export interface TrainResult {
  /** Where the first process wrote the run. */
  readonly directory: string;
  readonly config: RunConfig;
  readonly reason: FinishReason;
  /** Optimizer steps taken. */
  readonly step: number;
  /** SHA-256 of the flat parameters. */
  readonly parametersSha256: string;
  /** The flat parameters. */
  readonly parameters: Float32Array;
  /** Mean terms, in nats, of the last epoch that was evaluated in this process. */
  readonly test: MeanTerms | undefined;
  /** Number of this process among those that trained together: 0 where it trained alone. */
  readonly process: number;
}
