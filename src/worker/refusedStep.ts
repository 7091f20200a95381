import { NotFiniteError } from '../errors.js';

/** A step whose loss, gradient or update is NaN or infinite: it counts as not taken. */
export class RefusedStep extends NotFiniteError {
  constructor(
    message: string,
    /** From 0. */
    readonly step: number,
  ) {
    super(message);
  }
}
