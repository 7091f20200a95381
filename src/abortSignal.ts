/**
 * An AbortSignal, by structure: its name is in the DOM library and in @types/node, and a user's project may
 * have neither.
 */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
