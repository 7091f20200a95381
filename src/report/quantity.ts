/** E.g. `45 s`, `3 m 20 s`, `2 h 05 m`, `3 d 04 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(Math.round(seconds), 0);
  const twoDigits = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days} d ${twoDigits(hours % 24)} h`;
  if (hours > 0) return `${hours} h ${twoDigits(minutes % 60)} m`;
  if (minutes > 0) return `${minutes} m ${twoDigits(whole % 60)} s`;
  return `${whole} s`;
}

/** With separators, e.g. `60,000`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** Whole numbers, except where these would say little: `5,210`, `3.4`. */
export function formatRate(perSecond: number): string {
  return perSecond >= 100 ? formatCount(Math.round(perSecond)) : perSecond.toFixed(1);
}

export function formatNats(nats: number): string {
  return nats.toFixed(2);
}

export function formatBytes(bytes: number): string {
  return `${formatCount(Math.ceil(bytes / 2 ** 20))} MiB`;
}
