// The deaths of the processes of a run, and what they cost, from the events that the run tells.

/** Milliseconds of the clock that all processes of a machine share. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

/**
 * What Figures takes. A death is over with the first report of a step that nobody had completed before it, or
 * of an evaluation, behind the event `healed`. Steps are reported every 0.1 s.
 */
export class Deaths {
  /** With the kind, milliseconds until the others went on, and milliseconds until a new step. */
  deaths = [];
  /** Steps that were computed again. */
  again = 0;
  /** The last step that was told of. */
  step = 0;
  #processes;
  /** That the others have not noticed, or not yet got over. */
  #open = [];

  /** @param processes that the run begins with. */
  constructor(processes) {
    this.#processes = processes;
  }

  /** Whether the others have not yet gone on behind a death. */
  get isOpen() {
    return this.#open.some(({ milliseconds }) => milliseconds === undefined);
  }

  /** A process died at the moment `since`. @param until steps that were taken by then, or more. */
  died({ kind, since, until }) {
    this.#open.push({ kind, since, until });
  }

  tell(event) {
    const time = now();
    if (event.kind === 'healed') this.#healed(event, time);
    if (event.kind !== 'progress' && event.kind !== 'epoch') return;
    this.step = Math.max(this.step, event.step);
    const isOver = ({ milliseconds, until }) => {
      return (
        milliseconds !== undefined && (event.kind === 'epoch' ? event.step >= until : event.step > until)
      );
    };
    for (const death of this.#open.filter(isOver)) {
      this.deaths.push({ ...death, untilNew: time - death.since });
    }
    this.#open = this.#open.filter((death) => !isOver(death));
  }

  /** The run has ended: whatever died last was got over with its end. */
  end() {
    const time = now();
    const [noticed, ignored] = [[], []];
    for (const death of this.#open) (death.milliseconds === undefined ? ignored : noticed).push(death);
    for (const death of noticed) this.deaths.push({ ...death, untilNew: time - death.since });
    if (ignored.length > 0) throw new Error(`${ignored.length} processes died behind the end of the run`);
  }

  /** One event may tell of several deaths: it says how many processes are left. */
  #healed({ processes, stepsLost }, time) {
    this.again += stepsLost;
    const fresh = this.#open.filter(({ milliseconds }) => milliseconds === undefined);
    for (const death of fresh.slice(0, this.#processes - processes)) death.milliseconds = time - death.since;
    this.#processes = processes;
  }
}
