/**
 * A value as JSON on one line. JSON has no NaN and no infinity: where a number is one, the text "NaN",
 * "Infinity" or "-Infinity" stands in its place, and not the null that JSON.stringify would make of it.
 */
export function jsonLine(value: object): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'number' && !Number.isFinite(member) ? String(member) : member,
  );
}
