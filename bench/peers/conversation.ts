// What the JavaScript peers say and hear: docs/peers.md has the protocol.

import { createInterface } from 'node:readline';

/** Sends a message to the driver, as a line. */
export function answer(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/**
 * Tells the losses of the first steps, then runs as many steps as each line of input asks for. It ends with
 * the input.
 *
 * @param run resolves once all steps are computed.
 * @param processorSeconds what all threads and processes of the peer have used so far; default: this process.
 */
export async function serve(
  version: string,
  losses: readonly number[],
  run: (steps: number) => Promise<void>,
  processorSeconds: () => number = ownProcessorSeconds,
): Promise<void> {
  answer({ version, losses });
  for await (const line of createInterface({ input: process.stdin })) {
    const used = processorSeconds();
    const start = performance.now();
    await run(Number(line));
    const seconds = (performance.now() - start) / 1000;
    answer({ seconds, processorSeconds: processorSeconds() - used });
  }
}

/** Seconds of processor time that this process has used. */
export function ownProcessorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
