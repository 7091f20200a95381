/** Int32 words at the start of the run's memory, through which ranks and the coordinator speak. */
export const Control = {
  /** 0, or 1 + the rank that failed; every rank leaves at its next barrier. */
  abort: 0,
  /** Ranks that have reached the current barrier. */
  arrived: 1,
  /** Number of barriers passed; what waiting ranks sleep on. */
  generation: 2,
  /** 1: the coordinator asks the ranks to stop after the current step. */
  stopRequested: 3,
  /** 1 + the step after which all ranks stop, decided by rank 0 before a barrier so that all see the same. */
  stopAfter: 4,
  /** Steps completed since the run's beginning: metrics of steps below it may be read. */
  stepsCompleted: 5,
  /** Examples evaluated so far in this evaluation. */
  evaluated: 6,
  /** First of one word a rank: barriers that the rank has reached. */
  rankBarriers: 16,
} as const;

/** Most workers: as many as words are set aside. */
export const MOST_RANKS = 256;

const RANK_STEPS = Control.rankBarriers + MOST_RANKS;

/** Word that holds the step a rank is at. */
export function rankStepWord(rank: number): number {
  return RANK_STEPS + rank;
}

export const CONTROL_WORDS = RANK_STEPS + MOST_RANKS;
