// A thread that stands for the exchange threads of several processes: it serves their mailboxes at once, and
// copies from memory to memory what MPI would carry.
import { workerData } from 'node:worker_threads';
import { Mailbox, type Request } from '#src/collective/processes/mailbox.js';
import type { ExchangePlan, Transfer } from '#src/collective/processes/transfers.js';

export interface SimulatorData {
  readonly processes: readonly {
    readonly memory: WebAssembly.Memory;
    readonly mailbox: SharedArrayBuffer;
    readonly plan: ExchangePlan;
  }[];
}

const { processes } = workerData as SimulatorData;
const mailboxes = processes.map(({ mailbox }) => new Mailbox(mailbox));
const memories = processes.map(({ memory }) => new Uint8Array(memory.buffer));

function partsOf(transfer: Transfer, sender: number, receiver: number, isSent: boolean) {
  if (transfer.kind === 'all-gather') return transfer.parts[sender]!;
  return isSent ? transfer.from[receiver]! : transfer.to[sender]!;
}

/** By the rules of MPI: what arrives is what was there when the exchange began. */
function carryOut(name: Exclude<Request, 'message'>): void {
  const before = memories.map((memory) => memory.slice());
  for (const [receiver, { plan }] of processes.entries()) {
    for (const [i, transfer] of plan[name].entries()) {
      for (const [sender, other] of processes.entries()) {
        if (sender === receiver) continue;
        const from = partsOf(other.plan[name][i]!, sender, receiver, true);
        const to = partsOf(transfer, sender, receiver, false);
        if (from.end - from.first !== to.end - to.first) throw new Error('Sizes do not agree.');
        memories[receiver]!.set(before[sender]!.subarray(from.first, from.end), to.first);
      }
    }
  }
}

for (let served = 0; ; served++) {
  const requests = mailboxes.map((mailbox) => mailbox.next(served));
  const [name] = requests;
  if (name === undefined || name === 'message') throw new Error('Ranks send no messages.');
  if (requests.some((other) => other !== name)) throw new Error(`Processes ask for ${requests.join(', ')}.`);
  carryOut(name);
  for (const mailbox of mailboxes) mailbox.endRequest();
}
