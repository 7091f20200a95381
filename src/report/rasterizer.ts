import { GLYPHS } from './glyphs.js';

/** How much of each pixel ink covers, 0 to 255, [height, width]. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly alpha: Uint8Array;
}

/** A point in pixels, y downwards. */
type Point = readonly [x: number, y: number];

/** Pieces that a curve is drawn in: at the sizes of labels, more change no pixel. */
const CURVE_PIECES = 6;

/**
 * Fills outlines by the area that they cover of each pixel. Only additions, multiplications, divisions and
 * roundings to whole numbers are made, so that a picture has the same bytes everywhere.
 */
export class Rasterizer {
  /**
   * [height, width + 2]: by how much the covered area of a pixel differs from that of the pixel at its left.
   */
  readonly #changes: Float64Array;
  readonly #pitch: number;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.#pitch = width + 2;
    this.#changes = new Float64Array(this.#pitch * height);
  }

  /** @param place from the font's units (y upwards) to pixels. */
  addGlyph(sign: string, place: (x: number, y: number) => Point): void {
    for (const contour of parseOutline(GLYPHS[sign]![1])) {
      const points = contour.map(([x, y]) => place(x, y));
      points.forEach((point, i) => {
        this.#addEdge(point, points[(i + 1) % points.length]!);
      });
    }
  }

  mask(): Mask {
    const { width, height } = this;
    const alpha = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      let covered = 0;
      for (let x = 0; x < width; x++) {
        covered += this.#changes[y * this.#pitch + x]!;
        alpha[y * width + x] = 255 * shadeOf(Math.abs(covered));
      }
    }
    return { width, height, alpha };
  }

  /** Edges that go down count against edges that go up. */
  #addEdge(from: Point, to: Point): void {
    if (from[1] === to[1]) return;
    const sign = from[1] < to[1] ? 1 : -1;
    const [[x0, y0], [x1, y1]] = sign > 0 ? [from, to] : [to, from];
    const slope = (x1 - x0) / (y1 - y0);
    const end = Math.min(Math.ceil(y1), this.height);
    for (let row = Math.max(Math.floor(y0), 0); row < end; row++) {
      const top = Math.max(row, y0);
      const bottom = Math.min(row + 1, y1);
      const across: Point = [x0 + (top - y0) * slope, x0 + (bottom - y0) * slope];
      this.#addToRow(row, Math.min(...across), Math.max(...across), sign * (bottom - top));
    }
  }

  /** An edge within one row, from `left` to `right`: its height is shared by the columns that it crosses. */
  #addToRow(row: number, left: number, right: number, height: number): void {
    const first = Math.floor(left);
    const last = Math.max(Math.ceil(right), first + 1);
    for (let column = first; column < last; column++) {
      const [begin, end] = [Math.max(left, column), Math.min(right, column + 1)];
      const share = right === left ? height : (height * (end - begin)) / (right - left);
      // What lies right of the edge is covered: in its own column a part, in those that follow all of it.
      const covered = share * (column + 1 - (begin + end) / 2);
      this.#change(row, column, covered);
      this.#change(row, column + 1, share - covered);
    }
  }

  #change(row: number, column: number, by: number): void {
    const place = Math.min(Math.max(column, 0), this.#pitch - 1);
    this.#changes[row * this.#pitch + place]! += by;
  }
}

/**
 * Steps between paper and ink: so few colours fit a palette, which makes small files, and no eye sees the
 * difference.
 */
const SHADES = 15;

/** A covered area, 0 to 1, as one of these steps. */
export function shadeOf(covered: number): number {
  return Math.round(SHADES * Math.min(Math.max(covered, 0), 1)) / SHADES;
}

const outlines = new Map<string, Point[][]>();

/** Contours of straight edges, in the font's units. */
function parseOutline(outline: string): Point[][] {
  const known = outlines.get(outline);
  if (known) return known;
  const contours: Point[][] = [];
  for (const [, command, text] of outline.matchAll(/([Mlq])([^Mlq]*)/g)) {
    const numbers = (text!.match(/-?\d+/g) ?? []).map(Number);
    if (command === 'M') contours.push([[numbers[0]!, numbers[1]!]]);
    else addPieces(contours.at(-1)!, command === 'q', numbers);
  }
  outlines.set(outline, contours);
  return contours;
}

function addPieces(contour: Point[], curved: boolean, numbers: readonly number[]): void {
  for (let i = 0; i < numbers.length; i += curved ? 4 : 2) {
    const [x, y] = contour.at(-1)!;
    const [x1, y1, x2, y2] = numbers.slice(i, i + 4) as [number, number, number, number];
    if (!curved) contour.push([x + x1, y + y1]);
    else {
      for (let piece = 1; piece <= CURVE_PIECES; piece++) {
        const t = piece / CURVE_PIECES;
        const at = (control: number, end: number) => 2 * t * (1 - t) * control + t * t * end;
        contour.push([x + at(x1, x2), y + at(y1, y2)]);
      }
    }
  }
}
