// What the deaths in a run cost, from the events that it tells.

import { kindOf } from './draw.mjs';

/**
 * Steps and time that a run loses. Its time is cut at the steps that it reports, every 0.1 s, and at its
 * evaluations. A stretch in which nothing died gives the time of a step. In a stretch with a death, the time
 * of its new steps is useful and the rest is lost: the time in which nobody noticed, the recovery, and the
 * steps computed again.
 */
export class RunCost {
  /**
   * Deaths: the kind, milliseconds until all ranks were sent on, and until a step was reported that is new.
   */
  deaths = [];
  /** Steps that were computed again. */
  again = 0;
  #now;
  #began;
  #ended;
  /** Where the stretch at hand began. */
  #mark;
  /** Deaths since then. */
  #open = [];
  #clean = { steps: 0, milliseconds: 0 };
  #disturbed = { steps: 0, milliseconds: 0 };
  /** Durations of evaluations. */
  #evaluations = { clean: [], disturbed: [] };

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** The run begins with `step`; what it does before its first step is no measure of a step. */
  begin(step) {
    const time = this.#now();
    this.#began = time;
    this.#mark = { time, step, starts: true };
  }

  /** An event of the run. Of a run with several processes, without `started`. */
  tell(event) {
    const time = this.#now();
    switch (event.kind) {
      case 'started':
        this.begin(event.step);
        break;
      case 'recovered':
        this.again += event.stepsLost;
        this.died({ ...event, since: time - event.milliseconds, until: event.step + event.stepsLost });
        break;
      case 'progress':
        this.#reported(event.step, time);
        break;
      case 'epoch':
        this.#evaluated(event.step, time);
        break;
      case 'finished':
        if (this.#open.length > 0) this.#close(event.step, time);
        this.#ended = time;
        break;
    }
  }

  /**
   * Something died at the moment `since`, and was replaced `milliseconds` later. That is over with the first
   * report of a step above `until`.
   * @returns the death, whose `milliseconds` may be filled in later.
   */
  died({ cause, milliseconds, since, until }) {
    const death = { kind: kindOf(cause), milliseconds, since, until };
    this.#open.push(death);
    return death;
  }

  /** Milliseconds in all. */
  get all() {
    return this.#ended - this.#began;
  }

  /** Milliseconds that are lost. */
  get lost() {
    const { clean, disturbed } = this.#evaluations;
    const aStep = this.#clean.steps === 0 ? 0 : this.#clean.milliseconds / this.#clean.steps;
    // Without a measure of what is usual, all of the time counts as lost.
    const anEvaluation = clean.length === 0 ? 0 : sum(clean) / clean.length;
    const inSteps = this.#disturbed.milliseconds - aStep * this.#disturbed.steps;
    return Math.max(0, inSteps) + Math.max(0, sum(disturbed) - anEvaluation * disturbed.length);
  }

  #reported(step, time) {
    if (this.#open.some(({ until }) => step <= until)) return;
    if (this.#open.length > 0) this.#close(step, time);
    else if (!this.#mark.starts) this.#add(this.#clean, step, time);
    this.#mark = { time, step };
  }

  #evaluated(step, time) {
    const { clean, disturbed } = this.#evaluations;
    // Deaths in the last steps of an epoch end with the steps if these are reported: here is the rest.
    (this.#open.length > 0 ? disturbed : clean).push(time - this.#mark.time);
    this.#end(time);
    this.#mark = { time, step };
  }

  #close(step, time) {
    this.#add(this.#disturbed, step, time);
    this.#end(time);
  }

  #add(to, step, time) {
    to.steps += step - this.#mark.step;
    to.milliseconds += time - this.#mark.time;
  }

  #end(time) {
    for (const death of this.#open) this.deaths.push({ ...death, untilNew: time - death.since });
    this.#open = [];
  }
}

export const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
