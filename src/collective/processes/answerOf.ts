// How the main thread hears the exchange thread, which may end behind its last answer.
import { type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import { UsageError } from '../../errors.js';
import { MpiError } from '../mpi/world.js';
import type { Answer } from './exchangeThread.js';

/**
 * The next answer of the exchange thread.
 * @throws UsageError or MpiError with what it says where it has failed.
 */
export async function answerOf(thread: Worker, port: MessagePort): Promise<Answer> {
  const answer = await new Promise<Answer>((resolve, reject) => {
    const settle = (act: () => void) => {
      port.off('message', take);
      thread.off('error', fail);
      thread.off('exit', end);
      act();
    };
    const take = (message: Answer) => settle(() => resolve(message));
    const fail = (error: Error) => settle(() => reject(error));
    const end = () => {
      // Where this thread was busy, it hears of the end before it hears the last answer.
      const last = receiveMessageOnPort(port);
      if (last !== undefined) take(last.message as Answer);
      else fail(new MpiError('The thread that speaks to the other processes has ended.'));
    };
    port.on('message', take);
    thread.on('error', fail);
    thread.on('exit', end);
  });
  if (answer.kind !== 'failed') return answer;
  throw answer.isUsage ? new UsageError(answer.message) : new MpiError(answer.message);
}
